"""What was deployed, read back; and what of it cannot be rehearsed, or is told in two ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rehearsal import agreement
from rehearsal.account import Account
from rehearsal.deployed import ServiceDefinition, Statement, Strategy, TargetGroup
from rehearsal.errors import DisagreementError, RefusedError, UnresolvedError
from rehearsal.read import read
from service.settings import read_settings
from tests.accounts import TAG

Resources = dict[str, Any]
LOST = {"Ref": "Lost"}


class Altered(Account):
    """The account, as if its stacks held other templates than were deployed."""

    def __init__(self, account: Account, change: Callable[[Resources], None]) -> None:
        self.__dict__.update(account.__dict__)
        self._change = change

    def template(self, stack: str) -> dict[str, Any]:
        body = super().template(stack)
        self._change(body["Resources"])
        return body


def setting(kind: str, *path: str | int, to: Any) -> Callable[[Resources], None]:
    """Sets what is at the path in the properties of the first resource of this type."""

    def change(resources: Resources) -> None:
        there: Any = next(body["Properties"] for body in resources.values() if body["Type"].endswith(f"::{kind}"))
        for step in path[:-1]:
            there = there[step]
        there[path[-1]] = to

    return change


def removing(kind: str) -> Callable[[Resources], None]:
    def change(resources: Resources) -> None:
        for logical_id in [key for key, body in resources.items() if body["Type"].endswith(f"::{kind}")]:
            del resources[logical_id]

    return change


def adding(kind: str, properties: Mapping[str, Any]) -> Callable[[Resources], None]:
    """Another resource of the type, with these properties beside those of the first."""

    def change(resources: Resources) -> None:
        first = next(body for body in resources.values() if body["Type"].endswith(f"::{kind}"))
        resources["Another"] = {**first, "Properties": {**first["Properties"], **properties}}

    return change


def test_the_task_is_as_deployed(account: Account) -> None:
    task = read(account).task
    assert task.tag == TAG
    assert task.command == ("python", "-m", "service", "serve")
    told = read_settings(task.environment)
    assert told.port == task.port == 8000
    assert told.model_uri == "s3://alphard-dev-models-123456789012-eu-west-1/models/breast-cancer@production"
    objects = "arn:aws:s3:::alphard-dev-models-123456789012-eu-west-1/models/breast-cancer/*"
    assert task.role == (Statement(("s3:GetObject",), (objects,)),)
    assert (task.stop_timeout_seconds, task.cpu_units, task.memory_mib) == (60, 512, 1024)
    assert task.health_check is not None
    assert task.health_check.command[:3] == ("CMD", "python", "-c")
    assert task.health_check[1:] == (15, 5, 3, 30)


def test_the_service_and_its_balancer_are_as_deployed(account: Account) -> None:
    deployed = read(account)
    assert deployed.environment == "dev"
    assert deployed.service == ServiceDefinition(1, 2, 100, 200, True, True, 134, Strategy("ROLLING"))
    alike = TargetGroup("/ready", frozenset({200}), 5, 4, 2, 2, 30, "least_outstanding_requests")
    assert deployed.target_group == alike
    assert deployed.load_balancer.idle_timeout_seconds == 60
    (answer,) = deployed.load_balancer.fixed_answers
    assert (answer.path, answer.status) == ("/metrics", 404)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (removing("Service"), "dev cannot be rehearsed: it runs on Lambda"),
        (removing("LoadBalancer"), "dev cannot be rehearsed: its load balancer is another's"),
        (removing("TaskDefinition"), "one AWS::ECS::TaskDefinition, and there are 0"),
        (adding("Service", {}), "one AWS::ECS::Service, and there are 2"),
        (adding("TargetGroup", {"HealthCheckPath": "/live"}), "target groups that differ"),
        (setting("Service", "DeploymentConfiguration", "LifecycleHooks", to=[{}]), "a lifecycle hook"),
        (setting("Service", "DeploymentConfiguration", "Strategy", to="NEWER"), "deployments by NEWER"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_in_a_line(
    change: Callable[[Resources], None], said: str, account: Account
) -> None:
    with pytest.raises(RefusedError, match=said) as raised:
        read(Altered(account, change))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("configuration", "strategy"),
    [
        ({"Strategy": "BLUE_GREEN", "BakeTimeInMinutes": 10}, Strategy("BLUE_GREEN", 100, 0, 600)),
        (
            {
                "Strategy": "CANARY",
                "BakeTimeInMinutes": 1,
                "CanaryConfiguration": {"CanaryPercent": 10, "CanaryBakeTimeInMinutes": 2},
            },
            Strategy("CANARY", 10, 120, 60),
        ),
        (
            {
                "Strategy": "LINEAR",
                "BakeTimeInMinutes": 1,
                "LinearConfiguration": {"StepPercent": 25, "StepBakeTimeInMinutes": 3},
            },
            Strategy("LINEAR", 25, 180, 60),
        ),
        ({}, Strategy("ROLLING")),
    ],
)
def test_minutes_of_a_strategy_become_seconds(
    configuration: Mapping[str, Any], strategy: Strategy, account: Account
) -> None:
    bounds = {"MinimumHealthyPercent": 100, "MaximumPercent": 200}
    altered = Altered(account, setting("Service", "DeploymentConfiguration", to={**bounds, **configuration}))
    service = read(altered).service
    assert service.strategy == strategy
    assert (service.circuit_breaker, service.rolls_back) == (False, False)


def test_without_scaling_as_many_tasks_run_as_are_desired(account: Account) -> None:
    assert read(Altered(account, removing("ScalableTarget"))).service[:2] == (1, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            setting("TaskDefinition", "ContainerDefinitions", 0, "StopTimeout", to=45),
            r"^Task\w+\.ContainerDefinitions\[0\]\.StopTimeout: the template says 45, the API 60$",
        ),
        (
            setting("TaskDefinition", "ContainerDefinitions", 0, "Image", to="other:1"),
            r"ContainerDefinitions\[0\]\.Image: the template says 'other:1', the API '1234.*'$",
        ),
        (
            setting("TaskDefinition", "ContainerDefinitions", 0, "Environment", 1, "Value", to="9000"),
            r"ContainerDefinitions\[0\]\.Environment\.ALPHARD_PORT: the template says '9000', the API '8000'$",
        ),
        (
            setting("TaskDefinition", "ContainerDefinitions", 0, "HealthCheck", "Retries", to=9),
            r"ContainerDefinitions\[0\]\.HealthCheck\.Retries: the template says 9, the API 3$",
        ),
        (setting("TaskDefinition", "Memory", to="4096"), r"Memory: the template says '4096', the API '1024'$"),
        (
            setting("TargetGroup", "HealthCheckIntervalSeconds", to=7),
            r"^Targets\w+\.HealthCheckIntervalSeconds: the template says 7, the API 5$",
        ),
        (setting("TargetGroup", "Matcher", to={"HttpCode": "200-299"}), r"Matcher\.HttpCode: .* the API '200'$"),
        (setting("LoadBalancer", "Scheme", to="internal"), "Scheme: the template says 'internal'"),
        (
            setting("ListenerRule", "Actions", 0, "FixedResponseConfig", "StatusCode", to="403"),
            r"Actions\[0\]\.FixedResponseConfig\.StatusCode: the template says '403', the API '404'$",
        ),
        (
            setting("ListenerRule", "Conditions", 0, "PathPatternConfig", "Values", to=["/metrics", "/model"]),
            r"Values: the template says \['/metrics', '/model'\], the API \['/metrics'\]$",
        ),
        (
            setting("Policy", "PolicyDocument", "Statement", 0, "Action", to="s3:*"),
            r"PolicyDocument\.Statement\[0\]\.Action: the template says 's3:\*', the API",
        ),
        (adding("TargetGroup", {}), "^Another: the template has it, and the account has no such resource$"),
    ],
)
def test_what_the_template_and_an_api_tell_differently_is_named(
    change: Callable[[Resources], None], said: str, account: Account
) -> None:
    with pytest.raises(DisagreementError, match=said):
        read(Altered(account, change))


@pytest.mark.parametrize(("kind", "key"), agreement.NOT_KEPT)
def test_each_value_that_is_not_asked_for_would_be_told_differently(
    kind: str, key: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {row: why for row, why in agreement.NOT_KEPT.items() if row != (kind, key)}
    monkeypatch.setattr(agreement, "NOT_KEPT", kept)
    with pytest.raises(DisagreementError, match=rf"{key}\b|no such resource$"):
        read(account)


def test_what_a_template_does_not_tell_is_named(account: Account) -> None:
    altered = Altered(account, setting("TaskDefinition", "ContainerDefinitions", 0, "Image", to=LOST))
    with pytest.raises(UnresolvedError, match=r"^Serving\.Task\w+\.ContainerDefinitions\[0\]\.Image: .* Lost$"):
        read(altered)
