"""The steps of the workflows, taken from their files and run in their order: the same commands, against stand-ins for
AWS and for GitHub's command line, so that the files cannot rot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from rehearsal.stand_in import s3_environment, s3_server
from service.example import NAME
from service.stores import Store, open_store
from tests.stacks.account.archives import write_archive
from tests.workflows import Action, Run, clone, commit, equip

REGION = "eu-central-1"
STORE = f"s3://alphard-dev-models-123456789012-{REGION}/models"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("clone"))


# --- template-diff.yml -----------------------------------------------------------------------------------------------

SNAPSHOT = Path("tests/stacks/__snapshots__/dev/serving.yaml")


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes GitHub's command line, which writes down what it is told and the comment, and ends with this status."""

    def make(status: int = 0) -> Path:
        record, tool = tmp_path / "record", tmp_path / "bin" / "gh"
        tool.parent.mkdir()
        tool.write_text(f'#!/bin/sh\necho "$GH_REPO $GH_TOKEN $*" > {record}\ncat "$5" >> {record}\nexit {status}\n')
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
        return record

    return make


def compare(workspace: Path) -> str:
    """Runs what CI runs for a pull request, and takes what it leaves."""
    run = Run(workspace, {"github": {"event_name": "pull_request"}}, os.environ).job("ci", "templates")
    assert not run.failed, run.said
    return (workspace / "dist" / "template-diff.txt").read_text()


def comment(workspace: Path, difference: str, *, owner: str = "constellation") -> Run:
    """Runs what follows, on another machine, with what CI has left."""

    def download(run: Run, given: dict[str, str]) -> None:
        assert (given["name"], given["run-id"]) == ("template-diff", "7")
        path = run.workspace / given["path"] / "template-diff.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(difference, newline="")

    head = {"full_name": f"{owner}/alphard", "owner": {"login": owner}}
    of_ci = {"id": 7, "event": "pull_request", "head_repository": head, "head_branch": "larger"}
    contexts = {
        "github": {"repository": "constellation/alphard", "token": "t0ken", "event": {"workflow_run": of_ci}},
    }
    return Run(workspace, contexts, os.environ, {"actions/download-artifact": download}).job("template-diff", "comment")


def test_a_pull_request_that_changes_a_template_gets_one_comment_with_the_difference(
    workspace: Path, github: Callable[..., Path]
) -> None:
    path, record = workspace / SNAPSHOT, github()
    path.write_text(path.read_text().replace("Memory: '1024'", "Memory: '2048'"))
    commit(workspace, "Larger tasks")
    difference = compare(workspace)
    assert "-      Memory: '1024'\n+      Memory: '2048'\n" in difference
    run = comment(workspace, difference)
    assert not run.failed, run.said
    told, _, body = record.read_text().partition("\n")
    assert told == (
        "constellation/alphard t0ken pr comment larger --body-file dist/template-diff.md --edit-last --create-if-none"
    )
    assert "```diff\n" in body
    assert "-      Memory: '1024'\n+      Memory: '2048'\n" in body
    assert run.outcomes["Update the comment, if there is one"] == "skipped"


@pytest.mark.parametrize("status", [0, 1])
def test_without_a_difference_only_a_comment_that_is_there_is_updated(
    status: int, workspace: Path, github: Callable[..., Path]
) -> None:
    record = github(status)
    (workspace / "README.md").write_text(f"something else {status}")
    commit(workspace, "Say it otherwise")
    assert compare(workspace) == ""
    run = comment(workspace, "", owner="somebody")
    assert not run.failed, run.said
    told, _, body = record.read_text().partition("\n")
    assert told.endswith(" pr comment somebody:larger --body-file dist/template-diff.md --edit-last")
    assert body == "The CloudFormation templates stay as they are.\n"


def test_what_a_fork_leaves_as_its_difference_stays_a_block_of_code_of_a_size_that_github_takes(
    workspace: Path, github: Callable[..., Path]
) -> None:
    record = github()
    hostile = "+ a\n```\n# Approved by @constellation\n+ b\r```\r\x1b[2J\u2028\u202e[link](https://example.com)\n~~~\n"
    assert not comment(workspace, hostile + "+ x\n" * 100_000, owner="somebody").failed
    body = record.read_text().partition("\n")[2]
    opened, closed = body.index("```diff\n"), body.index("\n```\n")
    assert body.count("```") == 2
    assert opened < body.index("# Approved") < body.index("[link]") < closed
    assert body.isascii()
    assert set(body) - {"\n"} <= set(map(chr, range(32, 127)))
    assert len(body) < 65_536
    assert "characters more" in body[closed:]


# --- promote.yml -----------------------------------------------------------------------------------------------------


@contextmanager
def account_on_loopback() -> Iterator[dict[str, str]]:
    """An empty account: the variables that lead there, beside this process's own."""
    with s3_server() as endpoint:
        here = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "NO_PROXY": "127.0.0.1,localhost"}
        yield {**os.environ, **s3_environment(endpoint.replace("127.0.0.1", "localhost")), **here}


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    with account_on_loopback() as variables:
        yield variables


def client(account: dict[str, str], service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]  # by a name that is not written here
        service,
        endpoint_url=account["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106  # the stand-in's
    )


@pytest.fixture(scope="module")
def version(account: dict[str, str]) -> str:
    """The version of the example, published where dev's model is."""
    place = {"LocationConstraint": REGION}
    client(account, "s3").create_bucket(Bucket=STORE.split("/")[2], CreateBucketConfiguration=place)
    subprocess.run([sys.executable, "-m", "service.example", STORE], env=account, capture_output=True, check=True)
    alias = client(account, "s3").get_object(Bucket=STORE.split("/")[2], Key=f"models/{NAME}/aliases/production.json")
    return str(json.loads(alias["Body"].read())["version"])


@pytest.fixture
def store(account: dict[str, str], version: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for key, value in account.items():
        monkeypatch.setenv(key, value)
    return open_store(STORE)


def promote(workspace: Path, account: dict[str, str], contexts: dict[str, Any]) -> Run:
    return Run(workspace, contexts, account).job("promote", "promote")


@pytest.mark.parametrize("called", [pytest.param("by hand", marks=pytest.mark.slow), "by another repository"])
def test_an_alias_is_moved_to_a_version_that_has_proven_itself(
    called: str, workspace: Path, account: dict[str, str], version: str, store: Store
) -> None:
    told = {"environment": "dev", "model": NAME, "version": version, "alias": called.replace(" ", "-")}
    contexts = {"inputs": told} if called == "by hand" else {"github": {"event": {"client_payload": told}}}
    run = promote(workspace, account, contexts)
    assert not run.failed, run.said
    assert store.read_alias(NAME, told["alias"]).alias.version == version


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "$(touch pwned)"},
        {"alias": "--store=file:///tmp"},
        dict.fromkeys(
            ("environment", "model", "version", "alias"),
            "$(touch pwned) `touch pwned` $(shell touch pwned) ';\"; touch pwned #\n\ttouch pwned",
        ),
    ],
)
def test_what_is_not_in_order_or_meant_for_a_shell_moves_nothing(
    wrong: dict[str, str], workspace: Path, account: dict[str, str], version: str, store: Store
) -> None:
    told = {"environment": "dev", "model": NAME, "version": version, "alias": "wrong", **wrong}
    before = store.list_aliases(NAME)
    run = promote(workspace, account, {"github": {"event": {"client_payload": told}}})
    assert run.outcomes["Verify the version and move the alias"] == "failure"
    assert "alphard: " in run.said
    assert store.list_aliases(NAME) == before
    assert list(workspace.rglob("pwned")) == []


# --- deploy.yml ------------------------------------------------------------------------------------------------------


@dataclass
class Delivery:
    """A checkout, an account of its own, and what was attested on the way there."""

    workspace: Path
    environment: dict[str, str]
    attested: list[dict[str, str]] = field(default_factory=list)

    def deploy(self, commit: str) -> Run:
        """Runs the job that deploys to ``dev`` what was built of the commit."""
        actions: dict[str, Action] = {
            "actions/download-artifact": lambda _, given: self.download(commit, given),
            "actions/attest": lambda _, given: self.attested.append(given),
            "actions/checkout": self.check_out,
        }
        contexts = {"github": {"sha": commit}, "matrix": {"environment": "dev"}}
        return Run(self.workspace, contexts, self.environment, actions).job("deploy", "deploy")

    def download(self, commit: str, given: dict[str, str]) -> None:
        folder = self.workspace / given["path"]
        write_archive(folder / "serve.tar", f"alphard:{commit}")
        (folder / "serve.cdx.json").write_text("{}")

    def check_out(self, run: Run, given: dict[str, str]) -> None:
        if "path" in given:
            there = run.workspace / given["path"]
            subprocess.run(["git", "clone", "--quiet", str(run.workspace), str(there)], check=True)
            subprocess.run(["git", "checkout", "--quiet", given["ref"]], cwd=there, check=True)
            equip(there)

    def run(self, *arguments: str) -> str:
        """A command of a person in the checkout; what it says."""
        command = [sys.executable, "-m", "tests.whole.deployment", *arguments]
        done = subprocess.run(command, cwd=self.workspace, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def delivery(tmp_path: Path) -> Iterator[Delivery]:
    """A docker that writes down what it is told and whose push reaches the account; the commands of the stand-in."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/record\n'
        f'[ "$1" != push ] || exec {sys.executable} -m tests.whole.deployment pushed "$2"\n'
    )
    docker.chmod(0o755)
    with account_on_loopback() as account:
        yield Delivery(
            clone(tmp_path),
            {
                **account,
                "PATH": f"{docker.parent}{os.pathsep}{os.environ['PATH']}",
                "MAKEFLAGS": r"STACKS=.venv/bin/python\ -m\ tests.whole.deployment",
                "CDK_METHOD": "direct",
                "CDK_PREVIOUS_PARAMETERS": "false",
            },
        )


@pytest.mark.slow
def test_a_commit_is_pushed_once_attested_deployed_and_verified_and_one_that_does_not_answer_is_taken_back(
    delivery: Delivery, tmp_path: Path
) -> None:
    workspace = delivery.workspace
    first = commit(workspace, "")
    assert delivery.run("deployed") == "commit=\n"
    delivery.run("deploy", "--yes")

    (workspace / "README.md").write_text("second")
    second = commit(workspace, "Second")
    run = delivery.deploy(second)
    assert not run.failed, run.said
    assert run.contexts["steps"]["before"]["outputs"] == {"commit": first}
    assert run.outcomes["Go back to it"] == "skipped"
    name = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/alphard-dev-service"
    where, what = delivery.attested
    assert where["subject-name"] == what["subject-name"] == name
    images = client(delivery.environment, "ecr").describe_images(
        repositoryName="alphard-dev-service", imageIds=[{"imageTag": second}]
    )
    assert where["subject-digest"] == what["subject-digest"] == images["imageDetails"][0]["imageDigest"]
    assert what["sbom-path"] == "dist/serve.cdx.json"
    told = (tmp_path / "record").read_text().splitlines()
    assert [line.split()[0] for line in told] == ["info", "load", "tag", "login", "push"]
    assert told[-1] == f"push {name}:{second}"
    assert delivery.run("deployed") == f"commit={second}\n"

    (workspace / "README.md").write_text("third")
    third = commit(workspace, "Third")
    delivery.environment["BROKEN_COMMIT"] = third
    delivery.attested.clear()
    delivery.run("built-elsewhere", f"{name}:{third}")
    run = delivery.deploy(third)
    assert run.failed
    assert "no answer" in run.said
    assert delivery.attested == []
    assert run.outcomes["Go back to it"] == "success", run.said
    assert delivery.run("deployed") == f"commit={second}\n"
