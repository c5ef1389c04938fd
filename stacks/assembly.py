"""An environment's synthesized templates, as the CDK's command line would get them from the app."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import aws_cdk as cdk

from stacks.settings import Environment, SettingsError, read_environment

ROOT = Path(__file__).parents[1]

_SUB = re.compile(r"\$\{([^!}][^}]*)\}")
_TRACEBACK = re.compile(r"^(?:jsii\.errors\.|Traceback )", re.MULTILINE)


class Resource(NamedTuple):
    """One resource of a template; ``stack`` is the construct id of its stack, such as ``Storage``."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]


class Assembly(NamedTuple):
    """The templates and the names of an environment's stacks, by their construct ids.

    They need the CDK's bootstrap at ``bootstrap_version``; the CDK finds all of it in ``folder``.
    """

    templates: Mapping[str, Mapping[str, Any]]
    stack_names: Mapping[str, str]
    bootstrap_version: int
    folder: Path

    def resources(self, *types: str) -> list[Resource]:
        """The resources of these types, or all of them without one."""
        found = _resources(self.templates)
        return [resource for resource in found if not types or resource.type in types]


def environment_names() -> list[str]:
    """The environments that ``cdk.json`` describes, in its order."""
    return list(_context()["environments"])


def load_environment(name: str) -> Environment:
    """The settings of one environment of ``cdk.json``. Raises SettingsError."""
    return read_environment(cdk.App(context={**_context(), "env": name}, analytics_reporting=False).node)


@contextmanager
def synthesized(environment: str, image_tag: str) -> Iterator[Assembly]:
    """Runs the app as the CDK's command line does, without it, into a folder that is removed in the end.

    So what is looked at before a deployment is to the byte what is deployed.

    Raises SettingsError, with what the app itself says, if it refuses the environment.
    """
    context = {**_context(), "env": environment, "image_tag": image_tag}
    with TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, "CDK_OUTDIR": folder, "CDK_CONTEXT_JSON": json.dumps(context)},
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            raise SettingsError(_complaint(run.stderr))
        yield _read(Path(folder))


def resolve(value: Any, known: Mapping[str, str]) -> str | None:
    """A template's value as text, or None where it holds what only a deployment knows.

    ``known`` are the values of what ``Ref`` and ``${...}`` may name, such as ``AWS::Region``.
    """
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case {"Ref": str(name)}:
            return known.get(name)
        case {"Fn::Join": [str(separator), list(parts)]}:
            resolved = [resolve(part, known) for part in parts]
            return None if None in resolved else separator.join(part for part in resolved if part is not None)
        case {"Fn::Select": [index, {"Fn::Split": [str(separator), text]}]}:
            parts_of = (resolve(text, known) or "").split(separator)
            return parts_of[int(index)] if int(index) < len(parts_of) else None
        case {"Fn::Sub": str(text)}:
            names = _SUB.findall(text)
            return _SUB.sub(lambda name: known[name[1]], text) if all(name in known for name in names) else None
        case _:
            return None


def stack_resources(stack: str, template: Mapping[str, Any]) -> Iterator[Resource]:
    """The resources of one template."""
    for logical_id, body in template.get("Resources", {}).items():
        yield Resource(stack, logical_id, body["Type"], body.get("Properties", {}))


def _resources(templates: Mapping[str, Mapping[str, Any]]) -> Iterator[Resource]:
    for stack, template in templates.items():
        yield from stack_resources(stack, template)


def _context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def _complaint(said: str) -> str:
    """What the app wrote before its traceback, if it ends in one; else its last line."""
    before = _TRACEBACK.split(said, maxsplit=1)[0].strip()
    return before or (said.strip() or "the app failed and said nothing").splitlines()[-1]


def _read(folder: Path) -> Assembly:
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks: Sequence[tuple[str, Mapping[str, Any]]] = [
        (name, artifact["properties"])
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    return Assembly(
        {name: json.loads((folder / found["templateFile"]).read_text()) for name, found in stacks},
        {name: found["stackName"] for name, found in stacks},
        max(found["requiresBootstrapStackVersion"] for _, found in stacks),
        folder,
    )
