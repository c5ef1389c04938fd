from __future__ import annotations

import subprocess
import sys
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.constructs.container import ServiceTask
from tests.serving import free_port, spawned
from tests.stacks import alone
from tests.stacks.template_yaml import to_text

TAG = "0123456789abcdef0123456789abcdef01234567"


def made(**changed: Any) -> dict[str, dict[str, Any]]:
    narrow: dict[str, Any] = {
        "family": "alphard-dev-service",
        "repository_name": "alphard-dev-service",
        "image_tag": TAG,
        "architecture": "x86_64",
        "cpu": 512,
        "memory_mib": 1024,
        "port": 8000,
        "stop_timeout_seconds": 60,
        "environment": {"ALPHARD_LOG_LEVEL": "INFO"},
        "model_bucket_name": f"alphard-dev-models-{cdk.Aws.ACCOUNT_ID}",
        "model_prefix": "models/iris",
        "log_group_name": "/alphard/dev/service",
    }
    stack = cdk.Stack(alone.app(), "Stack")
    ServiceTask(stack, "Task", **{**narrow, **changed})
    return alone.resources(stack)


def task(**changed: Any) -> dict[str, Any]:
    (found,) = alone.of_type(made(**changed), "AWS::ECS::TaskDefinition")
    return found


def container(**changed: Any) -> dict[str, Any]:
    (found,) = task(**changed)["ContainerDefinitions"]
    assert isinstance(found, dict)
    return found


def allowed() -> dict[str, dict[str, str]]:
    """What each role may do, and to what, by a word of its logical id."""
    found = {}
    for key, policy in made().items():
        if policy["Type"] == "AWS::IAM::Policy":
            role = "execution" if "Execution" in key else "task"
            statements = policy["Properties"]["PolicyDocument"]["Statement"]
            found[role] = {str(each["Action"]): to_text(each["Resource"]) or "" for each in statements}
    return found


def live_check(port: int) -> int:
    """The exit status of the container's own health check, run as the container runs it but for the interpreter."""
    kind, python, *arguments = container(port=port)["HealthCheck"]["Command"]
    assert (kind, python) == ("CMD", "python")
    return subprocess.run([sys.executable, *arguments], stderr=subprocess.DEVNULL, check=False).returncode


def test_it_runs_the_commits_image_on_its_architecture() -> None:
    assert (to_text(container()["Image"]) or "").endswith(f"/alphard-dev-service:{TAG}")
    assert task(architecture="arm64")["RuntimePlatform"] == {
        "CpuArchitecture": "ARM64",
        "OperatingSystemFamily": "LINUX",
    }


def test_it_is_as_large_as_was_said_and_has_as_long_to_stop() -> None:
    found = task(cpu=2048, memory_mib=8192, stop_timeout_seconds=90)
    assert (found["Cpu"], found["Memory"]) == ("2048", "8192")
    assert found["ContainerDefinitions"][0]["StopTimeout"] == 90


def test_it_writes_to_its_temporary_folder_alone_and_is_nobody_in_particular() -> None:
    found = container()
    assert found["ReadonlyRootFilesystem"] is True
    assert [(each["ContainerPath"], each["ReadOnly"]) for each in found["MountPoints"]] == [("/tmp", False)]  # noqa: S108  # in the container
    assert found["User"] == "10001"
    assert found["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert not found.get("Privileged")


def test_a_service_that_answers_is_alive() -> None:
    with spawned() as process:
        assert live_check(process.port) == 0


def test_a_service_that_does_not_answer_is_not_alive() -> None:
    assert live_check(free_port()) != 0


def test_the_check_gives_up_before_the_container_is_asked_again() -> None:
    check = container()["HealthCheck"]
    assert "timeout=4" in check["Command"][-1]
    assert check["Timeout"] < check["Interval"]
    assert check["Timeout"] == 5


def test_a_slow_log_does_not_hold_up_the_service() -> None:
    log = container()["LogConfiguration"]
    assert log["LogDriver"] == "awslogs"
    assert (log["Options"]["mode"], log["Options"]["max-buffer-size"]) == ("non-blocking", "25m")
    assert log["Options"]["awslogs-group"] == "/alphard/dev/service"


def test_the_service_reads_its_model_and_no_more() -> None:
    assert allowed()["task"] == {
        "s3:GetObject": "arn:${AWS::Partition}:s3:::alphard-dev-models-${AWS::AccountId}/models/iris/*"
    }


def test_fargate_pulls_this_image_and_writes_this_log_and_no_more() -> None:
    of_region = "${AWS::Region}:${AWS::AccountId}"
    assert allowed()["execution"] == {
        "['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']": (
            f"arn:${{AWS::Partition}}:ecr:{of_region}:repository/alphard-dev-service"
        ),
        "ecr:GetAuthorizationToken": "*",
        "['logs:CreateLogStream', 'logs:PutLogEvents']": (
            f"arn:${{AWS::Partition}}:logs:{of_region}:log-group:/alphard/dev/service:*"
        ),
    }


@pytest.mark.parametrize("key", ["TaskRoleArn", "ExecutionRoleArn"])
def test_only_tasks_assume_its_roles(key: str) -> None:
    found = made()
    (definition,) = alone.of_type(found, "AWS::ECS::TaskDefinition")
    role = found[definition[key]["Fn::GetAtt"][0]]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert "ManagedPolicyArns" not in role
