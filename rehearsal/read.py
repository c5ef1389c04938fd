"""What was deployed, read from the account: the template that the stack holds, and AWS's own APIs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
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
from rehearsal.deployed import Deployed, FixedAnswer, LoadBalancer, ServiceDefinition, Strategy, TargetGroup
from rehearsal.errors import RefusedError
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
        "LoadBalancers",
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
        target_group=_target_group(stack),
        load_balancer=_load_balancer(stack),
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


def _target_group(stack: _Stack) -> TargetGroup:
    first, *others = [_understood(group) for group in stack.all(TARGET_GROUP)]
    if any(other != first for other in others):
        raise RefusedError("target groups that differ from each other cannot be rehearsed")
    return first


def _understood(group: Properties) -> TargetGroup:
    attributes = _attributes(group["TargetGroupAttributes"])
    if attributes.get("stickiness.enabled") == "true" or attributes.get("slow_start.duration_seconds", "0") != "0":
        raise RefusedError("target groups with stickiness or a slow start cannot be rehearsed")
    return TargetGroup(
        health_path=group["HealthCheckPath"],
        health_statuses=_statuses(group["Matcher"]["HttpCode"]),
        interval_seconds=float(group["HealthCheckIntervalSeconds"]),
        timeout_seconds=float(group["HealthCheckTimeoutSeconds"]),
        healthy_count=int(group["HealthyThresholdCount"]),
        unhealthy_count=int(group["UnhealthyThresholdCount"]),
        deregistration_delay_seconds=float(attributes["deregistration_delay.timeout_seconds"]),
        algorithm=attributes["load_balancing.algorithm.type"],
    )


def _statuses(codes: str) -> frozenset[int]:
    """Of ``200``, ``200,202`` or ``200-299``."""
    ends = [part.split("-") for part in codes.split(",")]
    return frozenset(status for end in ends for status in range(int(end[0]), int(end[-1]) + 1))


def _load_balancer(stack: _Stack) -> LoadBalancer:
    if any(listener["Protocol"] != "HTTP" for listener in stack.all(LISTENER)):
        raise RefusedError("a load balancer that listens on HTTPS cannot be rehearsed")
    rules = sorted(stack.all(RULE), key=lambda rule: int(rule["Priority"]))
    # What comes after the rule that takes everything else never gets a request.
    answers = [_fixed_answers(rule) for rule in takewhile(lambda rule: not _forwards(rule), rules)]
    attributes = _attributes(stack.one(LOAD_BALANCER)["LoadBalancerAttributes"])
    return LoadBalancer(
        idle_timeout_seconds=float(attributes["idle_timeout.timeout_seconds"]),
        fixed_answers=tuple(answer for found in answers for answer in found),
    )


def _forwards(rule: Properties) -> bool:
    """Whether it sends every request to the targets, with nothing before that."""
    kinds = [action["Type"] for action in rule["Actions"]]
    if kinds != ["forward"] and "forward" in kinds:
        raise RefusedError(f"a load balancer that asks who a client is ({kinds[0]}) cannot be rehearsed")
    return kinds == ["forward"] and _paths(rule) == ["/*"]


def _fixed_answers(rule: Properties) -> list[FixedAnswer]:
    (action,) = rule["Actions"]
    if action["Type"] != "fixed-response":
        raise RefusedError(f"a rule of the load balancer by {action['Type']} for {_paths(rule)} cannot be rehearsed")
    fixed = action["FixedResponseConfig"]
    return [FixedAnswer(path, int(fixed["StatusCode"]), fixed.get("MessageBody", "")) for path in _paths(rule)]


def _paths(rule: Properties) -> list[str]:
    conditions = rule["Conditions"]
    if [condition["Field"] for condition in conditions] != ["path-pattern"]:
        raise RefusedError("rules of the load balancer by more than a path cannot be rehearsed")
    return list(conditions[0]["PathPatternConfig"]["Values"])


def _attributes(pairs: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {pair["Key"]: pair["Value"] for pair in pairs}
