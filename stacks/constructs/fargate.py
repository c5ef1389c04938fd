"""The tasks as ECS keeps them: where they run, how many at least while a release takes over, and what undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from stacks.constructs.container import CONTAINER
from stacks.constructs.rollback import RollbackAlarms
from stacks.constructs.traffic_shift import TrafficShift

_HTTPS = ec2.Port.tcp(443)
_STRATEGIES = {
    "rolling": ecs.DeploymentStrategy.ROLLING,
    "canary": ecs.DeploymentStrategy.CANARY,
    "linear": ecs.DeploymentStrategy.LINEAR,
    "blue_green": ecs.DeploymentStrategy.BLUE_GREEN,
}


class Rollout(NamedTuple):
    """How a new release takes over. Percent and minutes are of canary and linear, the bake of all but rolling."""

    strategy: Literal["rolling", "canary", "linear", "blue_green"]
    step_percent: int
    step_minutes: int
    bake_minutes: int


class FargateCluster(ecs.Cluster):
    """Any task may stand on Fargate or on Fargate Spot; each is measured."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, vpc: ec2.IVpc) -> None:
        super().__init__(
            scope,
            construct_id,
            cluster_name=name,
            vpc=vpc,
            enable_fargate_capacity_providers=True,
            container_insights_v2=ecs.ContainerInsights.ENHANCED,
        )


class FargateTasks(ecs.FargateService):
    """A release never takes a task away before another one can serve in its place, and is undone by the circuit breaker
    or by an alarm of ``rollback``.

    How many tasks there are is not said here: their scaling moves it. ``targets`` are one target group, or two for a
    rollout that shifts traffic from one to the other in ``rule``. A task reaches AWS, by HTTPS, and nothing else. For
    the ``grace_seconds`` in which it may be loading, its failing health check is not held against it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        cluster: ecs.ICluster,
        task: ecs.FargateTaskDefinition,
        port: int,
        subnets: ec2.SubnetSelection,
        assign_public_ip: bool,
        spot_percent: int,
        on_demand_tasks: int,
        rollout: Rollout,
        rollback: RollbackAlarms,
        grace_seconds: int,
        targets: Sequence[elbv2.ApplicationTargetGroup],
        rule: elbv2.ApplicationListenerRule,
    ) -> None:
        group = ec2.SecurityGroup(
            scope,
            f"{construct_id}SecurityGroup",
            vpc=cluster.vpc,
            description="The tasks of the service",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), _HTTPS, "AWS: image, log, model")
        super().__init__(
            scope,
            construct_id,
            service_name=name,
            cluster=cluster,
            task_definition=task,
            platform_version=ecs.FargatePlatformVersion.LATEST,
            capacity_provider_strategies=_capacity(spot_percent, on_demand_tasks),
            vpc_subnets=subnets,
            assign_public_ip=assign_public_ip,
            security_groups=[group],
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=rollback.names, behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
            ),
            health_check_grace_period=cdk.Duration.seconds(grace_seconds),
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            **_deployment(rollout),
        )
        self._attach(scope, construct_id, port, targets, rule)
        # What the first task needs, and no property of the service refers to.
        self.node.add_dependency(rule, task.obtain_execution_role(), cluster, rollback)

    def _attach(
        self,
        scope: Construct,
        construct_id: str,
        port: int,
        targets: Sequence[elbv2.ApplicationTargetGroup],
        rule: elbv2.ApplicationListenerRule,
    ) -> None:
        shift = None
        if len(targets) > 1:
            shift = TrafficShift(scope, f"{construct_id}Shift", first=targets[0], second=targets[1], rule=rule)
            self.node.add_dependency(shift)
        self.load_balancer_target(
            container_name=CONTAINER, container_port=port, alternate_target=shift.target if shift else None
        ).attach_to_application_target_group(targets[0])


def _capacity(spot_percent: int, on_demand_tasks: int) -> list[ecs.CapacityProviderStrategy] | None:
    """Without Spot none, since an adopted cluster need not have capacity providers; the service has a launch type."""
    if spot_percent == 0:
        return None
    on_demand = ecs.CapacityProviderStrategy(
        capacity_provider="FARGATE", base=on_demand_tasks, weight=100 - spot_percent
    )
    return [on_demand, ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=spot_percent)]


def _deployment(rollout: Rollout) -> dict[str, Any]:
    properties: dict[str, Any] = {"deployment_strategy": _STRATEGIES[rollout.strategy]}
    if rollout.strategy != "rolling":
        properties["bake_time"] = cdk.Duration.minutes(rollout.bake_minutes)
    if rollout.strategy in ("canary", "linear"):
        properties[f"{rollout.strategy}_configuration"] = ecs.TrafficShiftConfig(
            step_percent=rollout.step_percent, step_bake_time=cdk.Duration.minutes(rollout.step_minutes)
        )
    return properties
