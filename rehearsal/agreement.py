"""AWS's own APIs, asked for what the template says: where both know a value they must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rehearsal.account import Account
from rehearsal.errors import DisagreementError
from rehearsal.template import Resource

TASK_DEFINITION = "AWS::ECS::TaskDefinition"
SERVICE = "AWS::ECS::Service"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::IAM::Policy"

_NOT_PASSED_ON = "moto's CloudFormation does not pass it on"
_DEFAULT = "moto's CloudFormation leaves these at their defaults"
_NOT_MODELLED = "moto's CloudFormation passes over the resource"

NOT_KEPT: Mapping[tuple[str, str], str] = {
    (TASK_DEFINITION, "Cpu"): _NOT_PASSED_ON,
    (TASK_DEFINITION, "TaskRoleArn"): _NOT_PASSED_ON,
    (SERVICE, "DeploymentConfiguration"): _NOT_PASSED_ON,
    (SERVICE, "HealthCheckGracePeriodSeconds"): _NOT_PASSED_ON,
    (TARGET_GROUP, "TargetGroupAttributes"): _DEFAULT,
    (LOAD_BALANCER, "LoadBalancerAttributes"): _DEFAULT,
    (SCALABLE_TARGET, "MinCapacity"): _NOT_MODELLED,
    (SCALABLE_TARGET, "MaxCapacity"): _NOT_MODELLED,
}
"""By type and property, why the stand-in's API is not asked for what the template says. Everything else is."""

Document = Mapping[str, Any]


def agree(account: Account, resources: Iterable[Resource]) -> None:
    """Asks for each resource, and compares what the template and the API both say.

    Raises DisagreementError, which names the first value that differs.
    """
    for resource in resources:
        kept = {key: value for key, value in resource.properties.items() if (resource.type, key) not in NOT_KEPT}
        if kept and resource.physical_id is None:
            raise DisagreementError(f"{resource.logical_id}: the template has it, and the account has no such resource")
        if kept:
            _compare(resource.logical_id, kept, said(account, resource))


def said(account: Account, resource: Resource) -> Document:
    """What the API of its service says of a resource, in that API's own words."""
    return _QUESTIONS[resource.type](account, resource)


def _task_definition(account: Account, resource: Resource) -> Document:
    found = account.client("ecs").describe_task_definition(taskDefinition=resource.physical_id)
    return dict(found["taskDefinition"])


def _service(account: Account, resource: Resource) -> Document:
    cluster, _, name = str(resource.physical_id).rpartition("service/")[2].rpartition("/")
    (found,) = account.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
    return dict(found)


def _target_group(account: Account, resource: Resource) -> Document:
    elbv2, arn = account.client("elbv2"), resource.physical_id
    (found,) = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {**found, "TargetGroupAttributes": attributes}


def _load_balancer(account: Account, resource: Resource) -> Document:
    elbv2, arn = account.client("elbv2"), resource.physical_id
    (found,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {**found, "LoadBalancerAttributes": attributes}


def _listener(account: Account, resource: Resource) -> Document:
    (found,) = account.client("elbv2").describe_listeners(ListenerArns=[resource.physical_id])["Listeners"]
    return dict(found)


def _rule(account: Account, resource: Resource) -> Document:
    (found,) = account.client("elbv2").describe_rules(RuleArns=[resource.physical_id])["Rules"]
    return dict(found)


def _policy(account: Account, resource: Resource) -> Document:
    """As its first role has it: CloudFormation gives the same to each."""
    iam, name, roles = account.client("iam"), resource.properties["PolicyName"], resource.properties["Roles"]
    found = iam.get_role_policy(RoleName=roles[0], PolicyName=name)
    holders = [role for role in roles if name in iam.list_role_policies(RoleName=role)["PolicyNames"]]
    return {**found, "Roles": holders}


def _scalable_target(account: Account, resource: Resource) -> Document:
    given = {"ServiceNamespace": "ecs", "ResourceIds": [str(resource.physical_id)]}
    found = account.client("application-autoscaling").describe_scalable_targets(**given)["ScalableTargets"]
    return dict(found[0]) if found else {}


_QUESTIONS: Mapping[str, Callable[[Account, Resource], Document]] = {
    TASK_DEFINITION: _task_definition,
    SERVICE: _service,
    TARGET_GROUP: _target_group,
    LOAD_BALANCER: _load_balancer,
    LISTENER: _listener,
    RULE: _rule,
    POLICY: _policy,
    SCALABLE_TARGET: _scalable_target,
}


def _compare(path: str, template: Any, api: Any) -> None:
    """All that the template says; what the API adds are defaults."""
    template, api = _by_name(template), _by_name(api)
    if isinstance(template, Mapping) and isinstance(api, Mapping):
        for key, value in template.items():
            # ECS's API begins its words in lower case.
            _compare(f"{path}.{key}", value, api.get(key, api.get(f"{key[:1].lower()}{key[1:]}")))
    elif isinstance(template, list) and isinstance(api, list) and len(template) == len(api):
        for index, (one, other) in enumerate(zip(template, api, strict=True)):
            _compare(f"{path}[{index}]", one, other)
    elif _text(template) != _text(api):
        raise DisagreementError(f"{path}: the template says {template!r}, the API {api!r}")


def _by_name(value: Any) -> Any:
    """Pairs such as ``{"Name": ..., "Value": ...}`` as one object, since their order says nothing."""
    if isinstance(value, list) and value and all(isinstance(each, Mapping) and len(each) == 2 for each in value):
        pairs = [{key.lower(): part for key, part in each.items()} for each in value]
        for name in ("name", "key"):
            if all(set(pair) == {name, "value"} for pair in pairs):
                return {pair[name]: pair["value"] for pair in pairs}
    return value


def _text(value: Any) -> Any:
    """A value as either side may write it: CloudFormation takes numbers and truth as text too."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
