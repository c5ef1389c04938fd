from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.__main__ import main
from stacks.account.connection import Account
from tests.serving import WAIT_SECONDS
from tests.stacks.environments import SHIPPED

ROOT = Path(__file__).parents[3]


def test_the_cost_of_every_environment_is_told_without_an_account(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert main(["cost", "--requests-per-second", "50"]) == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if "monthly estimate" in line] == list(SHIPPED)
    assert out.count("total a month") == len(SHIPPED)
    assert out.count("tasks idle") + out.count("task idle") == out.count("at 50/s: ") == len(SHIPPED)
    assert "- list prices of us-east-1" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["cost", "--requests-per-second", "many"], "expected a number from 0 to 1,000,000, got many"),
        (["cost", "--requests-per-second", "-1"], "expected a number from 0 to 1,000,000, got -1"),
        (["doctor", "--url", "x"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize("command", ["cost", "doctor", "diff", "deploy", "verify"])
def test_an_environment_that_is_not_there_is_status_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--env", "nowhere"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == 'alphard: env: expected one of dev, staging, prod, got "nowhere"'


def test_an_empty_account_is_in_order_and_the_doctor_says_what_a_deployment_will_do(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    first, *findings, last = capsys.readouterr().out.splitlines()
    assert first == f"dev in account 123456789012, eu-central-1, as {account.caller}"
    assert {finding.split()[0] for finding in findings} == {"pending"}
    assert last == "in order"


def test_a_name_that_is_taken_is_status_1_and_stops_a_deployment_before_it_makes_anything(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.ask("ssm", "put_parameter", Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    account.ask("ecr", "create_repository", repositoryName="alphard-dev-service")
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 not in order"
    assert main(["deploy"]) == 1
    out, err = capsys.readouterr()
    assert "going on without asking: there is no terminal" in out
    assert "fault    repository alphard-dev-service exists already" in out
    assert err == "alphard: 1 thing must be put in order first: see above\n"
    assert account.ask("cloudformation", "list_stacks")["StackSummaries"] == []


def test_what_is_not_deployed_cannot_be_verified(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify"]) == 1
    assert capsys.readouterr().err == "alphard: dev is not deployed in account 123456789012, eu-central-1\n"


def test_at_a_terminal_a_person_is_asked_and_may_say_no(account: Account) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stacks", "deploy"]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.write(ours, b"n\n")
        out, err = process.communicate(timeout=3 * WAIT_SECONDS)
    for end in (ours, theirs):
        os.close(end)
    assert process.returncode == 1
    assert err == "alphard: nothing was done\n"
    plan, question = out.split("total a month")
    assert question.endswith("Go on? [y/N] ")
    for line in (
        "environment  dev",
        f"account      123456789012, as {account.caller}",
        "region       eu-central-1",
        "bootstrap    missing: the CDK is bootstrapped first",
        "ECS's role   missing: IAM makes it first",
        "stacks       alphard-dev-storage, alphard-dev-network, alphard-dev-serving, alphard-dev-operations",
    ):
        assert line in plan.splitlines()
    assert "missing: built for linux/amd64 and pushed" in plan
    assert "missing: the example is published" in plan
