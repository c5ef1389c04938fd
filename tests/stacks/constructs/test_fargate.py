from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from stacks.constructs.container import CONTAINER
from stacks.constructs.fargate import FargateCluster, FargateTasks, Rollout
from stacks.constructs.metrics import Balancer
from stacks.constructs.rollback import RollbackAlarms
from stacks.constructs.routing import Routing
from stacks.constructs.target_group import full_name
from tests.stacks import alone
from tests.stacks.constructs.sites import PRIVATE, load_balancer, targets, vpc_in
from tests.stacks.template_yaml import to_text

Made = dict[str, dict[str, Any]]


def made(*, rollout: Rollout | None = None, adopted: bool = False, **changed: Any) -> Made:
    """A service with all that it stands on."""
    rollout = rollout or Rollout("rolling", step_percent=10, step_minutes=2, bake_minutes=10)
    stack = cdk.Stack(alone.app(), "Stack")
    vpc = vpc_in(stack)
    balancer = load_balancer(stack, vpc)
    groups = [targets(stack, f"Targets{number}", vpc) for number in range(1 if rollout.strategy == "rolling" else 2)]
    cluster: ecs.ICluster = (
        ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name="theirs", vpc=vpc)
        if adopted
        else FargateCluster(stack, "Cluster", name="ours", vpc=vpc)
    )
    routing = Routing(
        stack,
        "Routing",
        listener=balancer.entrance,
        priority=1,
        hosts=(),
        target_groups=groups,
        authenticate=None,
    )
    task = ecs.FargateTaskDefinition(stack, "Task")
    image = ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/python:3.11")
    task.add_container(CONTAINER, image=image, port_mappings=[ecs.PortMapping(container_port=8000)])
    narrow: dict[str, Any] = {
        "name": "alphard-dev-service",
        "subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        "assign_public_ip": False,
        "spot_percent": 0,
        "on_demand_tasks": 0,
        "grace_seconds": 134,
    }
    FargateTasks(
        stack,
        "Service",
        cluster=cluster,
        task=task,
        port=8000,
        rollout=rollout,
        rollback=_rollback(stack, balancer.full_name, [full_name(group) for group in groups]),
        targets=groups,
        rule=routing.rule,
        **{**narrow, **changed},
    )
    return alone.resources(stack)


def _rollback(stack: cdk.Stack, balancer: str, groups: list[str]) -> RollbackAlarms:
    return RollbackAlarms(
        stack,
        "Rollback",
        name="alphard-dev-{}".format,
        balancer=Balancer(load_balancer=balancer, target_groups=groups, shared=False, function=False),
        log_group_name="/alphard/dev/service",
        metric_namespace="Alphard/dev",
        availability_percent=99.9,
        latency_percent=99,
        latency_milliseconds=250,
        load_deadline_seconds=120,
    )


def service(**changed: Any) -> dict[str, Any]:
    (found,) = alone.of_type(made(**changed), "AWS::ECS::Service")
    return found


def rolled_out(strategy: Any, **changed: Any) -> dict[str, Any]:
    """The deployment's configuration with 20% and 3 minutes a step, and a bake of 7 minutes."""
    found = service(rollout=Rollout(strategy, step_percent=20, step_minutes=3, bake_minutes=7), **changed)
    configuration = found["DeploymentConfiguration"]
    assert isinstance(configuration, dict)
    return configuration


def test_a_cluster_of_ours_has_both_kinds_of_capacity_and_is_measured() -> None:
    found = made()
    (cluster,) = alone.of_type(found, "AWS::ECS::Cluster")
    assert cluster == {
        "ClusterName": "ours",
        "ClusterSettings": [{"Name": "containerInsights", "Value": "enhanced"}],
    }
    (capacity,) = alone.of_type(found, "AWS::ECS::ClusterCapacityProviderAssociations")
    assert capacity["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


def test_no_task_is_taken_away_before_another_serves_in_its_place() -> None:
    found = rolled_out("rolling")
    assert (found["MinimumHealthyPercent"], found["MaximumPercent"]) == (100, 200)


def test_a_release_is_undone_if_it_does_not_start_or_an_alarm_rings() -> None:
    found, resources = rolled_out("rolling"), made()
    names = {each["AlarmName"] for each in alone.of_type(resources, "AWS::CloudWatch::Alarm")}
    assert found["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert found["Alarms"] == {"AlarmNames": sorted(names), "Enable": True, "Rollback": True}


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("rolling", {"Strategy": "ROLLING"}),
        ("blue_green", {"Strategy": "BLUE_GREEN", "BakeTimeInMinutes": 7}),
        (
            "canary",
            {
                "Strategy": "CANARY",
                "BakeTimeInMinutes": 7,
                "CanaryConfiguration": {"CanaryPercent": 20, "CanaryBakeTimeInMinutes": 3},
            },
        ),
        (
            "linear",
            {
                "Strategy": "LINEAR",
                "BakeTimeInMinutes": 7,
                "LinearConfiguration": {"StepPercent": 20, "StepBakeTimeInMinutes": 3},
            },
        ),
    ],
)
def test_a_release_takes_over_as_was_said(strategy: str, expected: dict[str, Any]) -> None:
    keys = ("Strategy", "BakeTimeInMinutes", "CanaryConfiguration", "LinearConfiguration")
    found = rolled_out(strategy)
    assert {key: found[key] for key in keys if key in found} == expected


def test_how_many_tasks_there_are_is_left_to_their_scaling() -> None:
    assert "DesiredCount" not in service()


def test_a_loading_task_is_given_its_time() -> None:
    assert service(grace_seconds=99)["HealthCheckGracePeriodSeconds"] == 99


def test_without_spot_the_cluster_need_have_no_capacity_providers() -> None:
    found = service(adopted=True)
    assert found["Cluster"] == "theirs"
    assert found["LaunchType"] == "FARGATE"
    assert "CapacityProviderStrategy" not in found


@pytest.mark.parametrize(("percent", "on_demand"), [(30, 1), (100, 0)])
def test_a_share_of_the_tasks_is_on_spot_beside_those_that_stay(percent: int, on_demand: int) -> None:
    found = service(spot_percent=percent, on_demand_tasks=on_demand)
    assert "LaunchType" not in found
    assert found["CapacityProviderStrategy"] == [
        {"CapacityProvider": "FARGATE", "Base": on_demand, "Weight": 100 - percent},
        {"CapacityProvider": "FARGATE_SPOT", "Weight": percent},
    ]


def test_tasks_stand_where_was_said() -> None:
    placed = service(assign_public_ip=True)["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert (placed["Subnets"], placed["AssignPublicIp"]) == (PRIVATE, "ENABLED")
    assert service()["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


def test_nobody_but_the_balancer_reaches_a_task_and_it_reaches_aws_alone() -> None:
    found = made()
    (group,) = (each for key, each in found.items() if key.startswith("ServiceSecurityGroup") and "from" not in key)
    assert "SecurityGroupIngress" not in group["Properties"]
    (out,) = group["Properties"]["SecurityGroupEgress"]
    assert (out["FromPort"], out["ToPort"]) == (443, 443)
    (ingress,) = alone.of_type(found, "AWS::EC2::SecurityGroupIngress")
    assert (ingress["FromPort"], ingress["ToPort"]) == (8000, 8000)
    assert "LoadBalancerSecurityGroup" in (to_text(ingress["SourceSecurityGroupId"]) or "")


def test_the_first_task_finds_all_that_it_needs() -> None:
    found = made(spot_percent=100)
    (waits,) = (each["DependsOn"] for each in found.values() if each["Type"] == "AWS::ECS::Service")
    types = {found[key]["Type"] for key in waits}
    assert types >= {
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::CloudWatch::Alarm",
        "AWS::IAM::Role",
    }


def test_nobody_gets_into_a_running_task() -> None:
    assert service()["EnableExecuteCommand"] is False
