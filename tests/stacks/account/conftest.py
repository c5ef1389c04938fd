"""An account on loopback, empty for each test."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rehearsal.stand_in import s3_environment, s3_server
from stacks.account.connection import Account, connect
from stacks.settings import Environment
from tests.serving import ask

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def stand_in() -> Iterator[str]:
    """The address of a real HTTP server that answers as AWS does.

    By a name and not by its number: the CDK asks for a bucket by its own name before it, ``bucket.localhost``.
    """
    with s3_server() as endpoint:
        yield endpoint.replace("127.0.0.1", "localhost")


@pytest.fixture
def aws(stand_in: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """That address, with nothing in its account, and the environment leading the AWS tools there."""
    ask(urlsplit(stand_in).port or 0, "POST", "/moto-api/reset")
    for key in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(key, raising=False)
    here = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "NO_PROXY": "127.0.0.1,localhost"}
    for key, value in {**s3_environment(stand_in), **here}.items():
        monkeypatch.setenv(key, value)
    return stand_in


@pytest.fixture
def account(aws: str) -> Account:
    return connect(Environment.model_validate({"name": "dev", "model": {"name": "churn", "alias": "production"}}))


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes a tool of that name, the only ones there beside git, which writes down what it is told; the record."""
    folder, record = tmp_path / "bin", tmp_path / "record"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(folder))

    def make(name: str, fails: str = "nothing") -> Path:
        path = folder / name
        path.write_text(
            "#!/bin/sh\n"
            f'[ "$1" = "{fails}" ] && exit 3\n'
            f'[ "$1" = login ] && read -r token\n'
            f'[ "$1" = info ] || echo "{name} $*" "${{token:-}}" >> {record}\n'
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return record

    return make
