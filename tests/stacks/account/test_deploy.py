"""The whole way into an account: the CDK's real command line against the stand-in, the real service behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from service.example import NAME
from stacks.__main__ import main
from stacks.account import proof
from stacks.account.connection import Account
from stacks.account.image import Image
from tests.serving import free_port
from tests.stacks.account.images import put_image

ROOT = Path(__file__).parents[3]
BUCKET = "alphard-dev-models-123456789012-eu-central-1"


@dataclass
class Stage:
    """What stands in for a builder, which writes down what it is asked for, and for the balancer: a real service."""

    account: Account
    processes: ExitStack
    built: list[Image] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    port: int = 0

    def build(self, account: Account, image: Image, commit: str) -> None:
        self.built.append(image)
        assert image.tag == commit
        put_image(account, image)

    def reach(self, url: str) -> str:
        """Serves the model that the environment's tasks are told to serve, from the account's own bucket."""
        self.reached.append(url)
        if not self.port:
            self.port = free_port()
            told = {
                "ALPHARD_MODEL_URI": f"s3://{BUCKET}/models/{NAME}@production",
                "ALPHARD_HOST": "127.0.0.1",
                "ALPHARD_PORT": str(self.port),
            }
            command = [sys.executable, "-m", "service", "serve"]
            process = self.processes.enter_context(
                subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.DEVNULL)
            )
            self.processes.callback(process.kill)
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def stage(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    # The stand-in keeps a change set that was executed, and reads a parameter's previous value as the name of one.
    monkeypatch.setenv("CDK_METHOD", "direct")
    monkeypatch.setenv("CDK_PREVIOUS_PARAMETERS", "false")
    with ExitStack() as processes:
        yield Stage(account, processes)


def run(stage: Stage, *arguments: str) -> int:
    return main(arguments, build=stage.build, reach=stage.reach)


@pytest.mark.slow
def test_a_person_comes_from_a_clone_to_an_answering_url_and_again(
    stage: Stage, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(stage, "deploy", "--yes") == 0, capfd.readouterr()
    first = capfd.readouterr().out
    steps = [line.removeprefix("==> ") for line in first.splitlines() if line.startswith("==> ") and "  " not in line]
    assert steps == [
        "bootstrapping the CDK",
        "having ECS's role made",
        "looking at the account",
        "deploying Storage and Network",
        f"building 123456789012.dkr.ecr.eu-central-1.amazonaws.com/alphard-dev-service:{stage.built[0].tag}",
        f"publishing the example as s3://{BUCKET}/models/{NAME}@production",
        "deploying Serving, Operations",
        "verifying",
    ]
    assert first.splitlines()[-1].endswith("golden rows as published")

    assert run(stage, "doctor") == 0
    assert capfd.readouterr().out.splitlines()[-1] == "in order"
    assert run(stage, "diff") == 0
    assert "Number of stacks with differences: 0" in "".join(capfd.readouterr())
    assert run(stage, "verify", "--url", stage.reach("")) == 0

    assert run(stage, "deploy", "--yes") == 0, capfd.readouterr()
    again = capfd.readouterr().out
    assert "==> bootstrapping" not in again
    assert "==> publishing" not in again
    assert len(stage.built) == len(set(stage.built))  # no commit is built twice

    monkeypatch.setattr(proof, "READY_SECONDS", 0.0)
    assert main(["deploy", "--yes"], build=stage.build, reach=lambda _: f"http://127.0.0.1:{free_port()}") == 1
    out, err = capfd.readouterr()
    assert "==> stack alphard-dev-serving: " in out
    assert "==> log: aws logs tail /alphard/dev/service" in out
    assert "no answer" in err.splitlines()[-1]
