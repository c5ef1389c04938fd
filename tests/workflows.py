"""A test tool: workflows of GitHub's, read from their files, and their steps run as GitHub runs them.

It knows as much of GitHub's expressions as the workflows here use. An action is stood in for by a function of the test.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".github" / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Action = Callable[["Run", dict[str, str]], None]
"""What an action does to the run, with what its step gives it."""


def load(name: str) -> dict[str, Any]:
    """A workflow as its file says; every scalar is text, so that ``on`` is no truth value."""
    workflow: dict[str, Any] = yaml.load((FOLDER / f"{name}.yml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506  # makes only texts
    return workflow


def uses(step: Mapping[str, Any]) -> str:
    """The action of a step, without its commit; nothing of a step that runs a command."""
    return str(step.get("uses", "")).partition("@")[0]


@dataclass
class Run:
    """A job's steps in one folder: ``outcomes`` by a step's name, or its action's, and what they said."""

    workspace: Path
    contexts: dict[str, Any]
    environment: Mapping[str, str]
    actions: Mapping[str, Action] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    said: str = ""
    failed: bool = False

    def job(self, workflow: str, job: str) -> Run:
        """Runs the job's steps in their order."""
        described = load(workflow)["jobs"][job]
        self.contexts["steps"] = {}
        for step in described["steps"]:
            condition = step.get("if", "success()")
            if "failure()" not in condition and self.failed:
                condition = "failure() && false"
            outcome = self._step(step, described.get("env", {})) if self.evaluate(condition) else "skipped"
            self.outcomes[step.get("name") or uses(step)] = outcome
            self.contexts["steps"].setdefault(step.get("id", ""), {"outputs": {}})["outcome"] = outcome
            self.failed |= outcome == "failure" and step.get("continue-on-error") != "true"
        return self

    def evaluate(self, expression: str) -> Any:
        """An expression's value, as GitHub's: what is not known is empty."""
        text = expression.replace("&&", " and ").replace("||", " or ")
        return self._value(ast.parse(" ".join(text.split()), mode="eval").body)

    def fill(self, text: str) -> str:
        """The text with its expressions' values."""
        return EXPRESSION.sub(lambda found: str(self.evaluate(found[1])), text)

    def _step(self, step: Mapping[str, Any], of_job: Mapping[str, str]) -> str:
        if "uses" in step:
            given = {key: self.fill(value) for key, value in step.get("with", {}).items()}
            if action := self.actions.get(uses(step)):
                action(self, given)
            return "success"
        output = self.workspace.parent / "output"
        output.write_text("")
        variables = {key: self.fill(value) for key, value in {**of_job, **step.get("env", {})}.items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.workspace / step.get("working-directory", ""),
            env={**self.environment, **variables, "GITHUB_OUTPUT": str(output)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.said += done.stdout
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        self.contexts["steps"][step.get("id", "")] = {"outputs": outputs}
        return "failure" if done.returncode else "success"

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value):
                return value
            case ast.Name("true" | "false" as name):
                return name == "true"
            case ast.Name(name):
                return self.contexts.get(name, {})
            case ast.Attribute(of, name):
                held = self._value(of)
                return held.get(name, "") if isinstance(held, Mapping) else ""
            case ast.BoolOp(operator, parts):
                values = [self._value(part) for part in parts]
                wanted = isinstance(operator, ast.Or)
                return next((value for value in values if bool(value) is wanted), values[-1])
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as operator], [right]):
                return (self._value(left) == self._value(right)) is isinstance(operator, ast.Eq)
            case ast.Call(ast.Name(name), arguments):
                return self._call(name, [self._value(argument) for argument in arguments])
        raise AssertionError(f"not known of GitHub's expressions: {ast.unparse(node)}")

    def _call(self, name: str, arguments: list[Any]) -> Any:
        match name:
            case "success":
                return not self.failed
            case "failure":
                return self.failed
            case "format":
                return str(arguments[0]).format(*arguments[1:])
            case "fromJSON":
                return json.loads(arguments[0])
        raise AssertionError(f"not known of GitHub's functions: {name}")


def clone(folder: Path) -> Path:
    """The repository as it stands, in a clone of its own, with what is not committed here as one more commit, and with
    what is installed here, which is not installed again."""
    there = folder / "workspace"
    _git(folder, "clone", "--quiet", str(ROOT), str(there))
    changed = _git(ROOT, "ls-files", "-z", "--modified", "--others", "--exclude-standard").split("\0")
    for path in filter(None, changed):
        (there / path).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).exists():
            shutil.copy2(ROOT / path, there / path)
        else:
            (there / path).unlink(missing_ok=True)
    commit(there, "As it stands")
    equip(there)
    return there


def equip(there: Path) -> None:
    """Lends a checkout what is installed here."""
    with (there / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write(".venv\nnode_modules\n")
    for installed in (".venv", "node_modules"):
        (there / installed).symlink_to(ROOT / installed)
    for listed in ("requirements.txt", "docker/requirements-publish.txt", "package-lock.json"):
        os.utime(there / listed, (0, 0))  # older than what was installed by it


def commit(there: Path, message: str) -> str:
    """Commits all that differs, if something does; the commit that is checked out then."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    _git(there, "add", "--all")
    if _git(there, "status", "--porcelain"):
        _git(there, *who, "commit", "--quiet", "--message", message)
    return _git(there, "rev-parse", "HEAD").strip()


def _git(where: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=where, capture_output=True, text=True, check=True).stdout
