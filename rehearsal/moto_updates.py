"""What moto's CloudFormation lacks to change a stack as AWS does.

It loses a load balancer or a target group that changes, and then fails on what refers to it; of a task definition that
changes it keeps no container.
"""

from __future__ import annotations

from typing import Any

from moto.ecs.models import TaskDefinition, ecs_backends
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup, elbv2_backends


def teach() -> None:
    """To be called in the process of moto's server, before a template is deployed."""
    for model, update in (
        (FakeLoadBalancer, _keep_balancer),
        (FakeTargetGroup, _change_target_group),
        (TaskDefinition, _register_revision),
    ):
        # The last of five arguments; the first is the class.
        model.update_from_cloudformation_json = classmethod(update)  # type: ignore[method-assign,assignment]


def _keep_balancer(_cls: type, original_resource: Any, *_arguments: Any, **_named: Any) -> Any:
    """Its attributes, which are all that may change without a replacement here, moto does not take from a template."""
    return original_resource


def _change_target_group(
    _cls: type,
    original_resource: Any,
    new_resource_name: str,  # noqa: ARG001  # called by name
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
) -> Any:
    properties = cloudformation_json["Properties"]
    return elbv2_backends[account_id][region_name].modify_target_group(
        original_resource.arn,
        health_check_path=properties.get("HealthCheckPath"),
        health_check_interval=properties.get("HealthCheckIntervalSeconds"),
        health_check_timeout=properties.get("HealthCheckTimeoutSeconds"),
        healthy_threshold_count=properties.get("HealthyThresholdCount"),
        unhealthy_threshold_count=properties.get("UnhealthyThresholdCount"),
        http_codes=properties.get("Matcher", {}).get("HttpCode"),
    )


def _register_revision(
    cls: type[TaskDefinition],
    original_resource: Any,
    new_resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
) -> Any:
    ecs_backends[account_id][region_name].deregister_task_definition(original_resource.arn)
    return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
