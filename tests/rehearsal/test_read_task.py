"""A task definition as the rehearsal drives it, or refuses to."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.deployed import HealthCheck, Statement
from rehearsal.errors import RefusedError
from rehearsal.read_task import read_task

CONTAINER: dict[str, Any] = {"Image": "registry/alphard:1", "PortMappings": [{"ContainerPort": 8000}]}
READS = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/*"}
LISTS = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::models"]}


def definition(**container: Any) -> dict[str, Any]:
    return {
        "ContainerDefinitions": [{**CONTAINER, **container}],
        "Cpu": "256",
        "Memory": "512",
        "TaskRoleArn": "arn:aws:iam::123456789012:role/task",
    }


def policy(role: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyName": "policy", "Roles": [role], "PolicyDocument": {"Statement": list(statements)}}


def test_what_is_not_said_is_as_ecs_has_it() -> None:
    task = read_task(definition(), [])
    assert (task.stop_timeout_seconds, task.health_check, task.role, dict(task.environment)) == (30, None, (), {})
    checked = read_task(definition(HealthCheck={"Command": ["CMD", "true"]}), [])
    assert checked.health_check == HealthCheck(("CMD", "true"), 30, 5, 3, 0)
    assert read_task(definition(HealthCheck={"Command": ["NONE"]}), []).health_check is None


def test_its_own_command_comes_before_the_images() -> None:
    assert read_task(definition(EntryPoint=["/run"], Command=["it"]), []).command == ("/run", "it")


def test_its_role_has_the_statements_of_its_policies_and_no_others() -> None:
    task = read_task(definition(), [policy("other", LISTS), policy("task", READS), policy("task", LISTS)])
    assert task.role == (
        Statement(("s3:GetObject",), ("arn:aws:s3:::models/*",)),
        Statement(("s3:ListBucket", "s3:GetBucketLocation"), ("arn:aws:s3:::models",)),
    )


@pytest.mark.parametrize(
    "statement",
    [
        {**READS, "Effect": "Deny"},
        {**READS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
    ],
)
def test_a_statement_that_does_more_than_allow_is_refused(statement: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="statement of "):
        read_task(definition(), [policy("task", statement)])


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"Secrets": [{"Name": "KEY", "ValueFrom": "arn"}]}, "a container with Secrets"),
        ({"EnvironmentFiles": [{"Type": "s3"}]}, "a container with EnvironmentFiles"),
        ({"PortMappings": []}, "a container with 0 ports"),
        ({"PortMappings": [{"ContainerPort": 1}, {"ContainerPort": 2}]}, "a container with 2 ports"),
    ],
)
def test_a_container_that_cannot_be_driven_is_refused(container: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_task(definition(**container), [])


def test_a_task_of_two_containers_is_refused() -> None:
    two = {**definition(), "ContainerDefinitions": [CONTAINER, CONTAINER]}
    with pytest.raises(RefusedError, match="a task of 2 containers"):
        read_task(two, [])
