"""What was deployed, read from the account: the template that the stack holds, and AWS's own APIs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rehearsal.account import NUMBER, REGION, Account
from rehearsal.agreement import (
    LISTENER,
    LOAD_BALANCER,
    POLICY,
    RULE,
    SCALABLE_TARGET,
    SERVICE,
    TARGET_GROUP,
    TASK_DEFINITION,
    agree,
)
from rehearsal.deployed import Deployed, ServiceDefinition, Strategy
from rehearsal.errors import RefusedError
from rehearsal.read_balancer import read_load_balancer, read_target_group
from rehearsal.read_task import read_task
from rehearsal.template import Resource, Template

_STACK = "Serving"
_PSEUDO_PARAMETERS = {
    "AWS::AccountId": NUMBER,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_READ = {
    TASK_DEFINITION: {"ContainerDefinitions", "Cpu", "Memory", "TaskRoleArn"},
    SERVICE: {
        "DeploymentConfiguration",
        "DesiredCount",
        "HealthCheckGracePeriodSeconds",
        "ServiceName",
    },
    TARGET_GROUP: {
        "HealthCheckIntervalSeconds",
        "HealthCheckPath",
        "HealthCheckTimeoutSeconds",
        "HealthyThresholdCount",
        "Matcher",
        "Port",
        "Protocol",
        "TargetGroupAttributes",
        "TargetType",
        "UnhealthyThresholdCount",
    },
    LOAD_BALANCER: {"LoadBalancerAttributes", "Scheme"},
    LISTENER: {"Protocol"},
    RULE: {"Actions", "Conditions", "Priority"},
    POLICY: {"PolicyDocument", "PolicyName", "Roles"},
    SCALABLE_TARGET: {"MaxCapacity", "MinCapacity"},
}
"""By type, what is read of a resource and compared, and what shows that the account has it."""

Properties = Mapping[str, Any]


class _Stack(NamedTuple):
    """The resources of the stack that serves, by type."""

    resources: Mapping[str, Sequence[Resource]]

    def all(self, kind: str) -> list[Properties]:
        return [resource.properties for resource in self.resources[kind]]

    def one(self, kind: str) -> Properties:
        found = self.all(kind)
        if len(found) != 1:
            raise RefusedError(f"the rehearsal drives one {kind}, and there are {len(found)}")
        return found[0]


def read(account: Account) -> Deployed:
    """What the account's environment is deployed as.

    Raises RefusedError for what cannot be rehearsed, UnresolvedError for what a template does not tell, and
    DisagreementError where the template and an API differ.
    """
    template = _template(account)
    _check_own(account.environment, template)
    stack = _Stack(
        {
            kind: [template.resource(logical_id, properties) for logical_id in template.logical_ids(kind)]
            for kind, properties in _READ.items()
        }
    )
    deployed = Deployed(
        environment=account.environment,
        task=read_task(stack.one(TASK_DEFINITION), stack.all(POLICY)),
        service=_service(stack),
        target_group=read_target_group(stack.all(TARGET_GROUP)),
        load_balancer=read_load_balancer(stack.one(LOAD_BALANCER), stack.all(LISTENER), stack.all(RULE)),
    )
    agree(account, [resource for found in stack.resources.values() for resource in found])
    return deployed


def _template(account: Account) -> Template:
    body, parameters = account.template(_STACK), account.parameters()
    known = dict(_PSEUDO_PARAMETERS)
    for name, parameter in body.get("Parameters", {}).items():
        held = parameter["Type"].startswith("AWS::SSM::Parameter::Value<")
        value = parameters.get(parameter["Default"]) if held else parameter["Default"]
        if value is not None:
            known[name] = value
    return Template(_STACK, body, physical_ids=account.resources(_STACK), known=known)


def _check_own(environment: str, template: Template) -> None:
    if not template.logical_ids(SERVICE):
        raise RefusedError(f"{environment} cannot be rehearsed: it runs on Lambda, not as tasks behind a load balancer")
    if not template.logical_ids(LOAD_BALANCER):
        raise RefusedError(f"{environment} cannot be rehearsed: its load balancer is another's, and not in its stacks")


def _service(stack: _Stack) -> ServiceDefinition:
    service = stack.one(SERVICE)
    deployment = service["DeploymentConfiguration"]
    breaker = deployment.get("DeploymentCircuitBreaker", {})
    scaling = stack.all(SCALABLE_TARGET)
    desired = int(service.get("DesiredCount", 1))
    return ServiceDefinition(
        minimum_tasks=int(scaling[0]["MinCapacity"]) if scaling else desired,
        maximum_tasks=int(scaling[0]["MaxCapacity"]) if scaling else desired,
        minimum_healthy_percent=int(deployment["MinimumHealthyPercent"]),
        maximum_percent=int(deployment["MaximumPercent"]),
        circuit_breaker=bool(breaker.get("Enable", False)),
        rolls_back=bool(breaker.get("Rollback", False)),
        grace_seconds=float(service["HealthCheckGracePeriodSeconds"]),
        strategy=_strategy(deployment),
    )


def _strategy(deployment: Properties) -> Strategy:
    if "LifecycleHooks" in deployment:
        raise RefusedError("deployments that call a lifecycle hook cannot be rehearsed")
    bake_seconds = 60 * float(deployment.get("BakeTimeInMinutes", 0))
    match deployment.get("Strategy", "ROLLING"):
        case "CANARY":
            canary = deployment["CanaryConfiguration"]
            step_seconds = 60 * float(canary["CanaryBakeTimeInMinutes"])
            return Strategy("CANARY", float(canary["CanaryPercent"]), step_seconds, bake_seconds)
        case "LINEAR":
            linear = deployment["LinearConfiguration"]
            step_seconds = 60 * float(linear["StepBakeTimeInMinutes"])
            return Strategy("LINEAR", float(linear["StepPercent"]), step_seconds, bake_seconds)
        case "BLUE_GREEN":
            return Strategy("BLUE_GREEN", 100, 0, bake_seconds)
        case "ROLLING":
            return Strategy("ROLLING")
        case other:
            raise RefusedError(f"deployments by {other} cannot be rehearsed")
