"""The task definition and its role, out of resolved resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rehearsal.deployed import HealthCheck, Statement, TaskDefinition
from rehearsal.errors import RefusedError
from rehearsal.image import image_command

Properties = Mapping[str, Any]

# Where the definition has none: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
# and https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
_STOP_TIMEOUT_SECONDS = 30
_HEALTH_CHECK = {"Interval": 30, "Timeout": 5, "Retries": 3, "StartPeriod": 0}


def read_task(definition: Properties, policies: Iterable[Properties]) -> TaskDefinition:
    """The one container of the definition; of the policies those of the task's role count.

    Raises RefusedError for what the rehearsal cannot drive.
    """
    container = _container(definition)
    role = str(definition["TaskRoleArn"]).rpartition("/")[2]
    statements = [
        statement
        for policy in policies
        if role in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    return TaskDefinition(
        image=container["Image"],
        command=image_command(_words(container.get("EntryPoint")), _words(container.get("Command"))),
        environment={each["Name"]: each["Value"] for each in container.get("Environment", ())},
        port=_port(container),
        stop_timeout_seconds=float(container.get("StopTimeout", _STOP_TIMEOUT_SECONDS)),
        health_check=_health_check(container.get("HealthCheck")),
        cpu_units=int(definition["Cpu"]),
        memory_mib=int(definition["Memory"]),
        role=tuple(map(_statement, statements)),
    )


def _container(definition: Properties) -> Properties:
    containers: list[Properties] = definition["ContainerDefinitions"]
    if len(containers) != 1:
        raise RefusedError(f"a task of {len(containers)} containers cannot be rehearsed")
    for key in ("Secrets", "EnvironmentFiles"):
        if containers[0].get(key):
            raise RefusedError(f"a container with {key} cannot be rehearsed")
    return containers[0]


def _port(container: Properties) -> int:
    ports = [int(mapping["ContainerPort"]) for mapping in container.get("PortMappings", ())]
    if len(ports) != 1:
        raise RefusedError(f"a container with {len(ports)} ports cannot be rehearsed")
    return ports[0]


def _health_check(given: Properties | None) -> HealthCheck | None:
    if given is None or given["Command"] == ["NONE"]:
        return None
    check = {**_HEALTH_CHECK, **given}
    return HealthCheck(
        command=tuple(check["Command"]),
        interval_seconds=float(check["Interval"]),
        timeout_seconds=float(check["Timeout"]),
        retries=int(check["Retries"]),
        start_period_seconds=float(check["StartPeriod"]),
    )


def _statement(given: Properties) -> Statement:
    if given["Effect"] != "Allow" or not set(given) <= {"Effect", "Action", "Resource", "Sid"}:
        raise RefusedError(f"a role's statement of {', '.join(sorted(given))} cannot be rehearsed")
    return Statement(tuple(_each(given["Action"])), tuple(_each(given["Resource"])))


def _each(one_or_more: str | list[str]) -> Iterator[str]:
    yield from [one_or_more] if isinstance(one_or_more, str) else one_or_more


def _words(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)
