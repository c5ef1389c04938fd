from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecs as ecs

from stacks.constructs.fargate import FargateCluster
from stacks.constructs.scaling import Hours, TaskScaling
from tests.stacks import alone
from tests.stacks.constructs.resources import balancer
from tests.stacks.constructs.sites import vpc_in

DAY = Hours("day", "0 7 * * *", "Europe/Berlin", 6, 24)


def made(*, groups: int = 1, **changed: Any) -> dict[str, dict[str, Any]]:
    stack = cdk.Stack(alone.app(), "Stack")
    cluster = FargateCluster(stack, "Cluster", name="ours", vpc=vpc_in(stack))
    task = ecs.FargateTaskDefinition(stack, "Task")
    task.add_container("service", image=ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/python:3.11"))
    breaker = ecs.DeploymentCircuitBreaker(enable=True, rollback=True)
    service = ecs.FargateService(
        stack, "Service", cluster=cluster, task_definition=task, min_healthy_percent=100, circuit_breaker=breaker
    )
    narrow: dict[str, Any] = {
        "minimum_tasks": 2,
        "maximum_tasks": 9,
        "cpu_percent": 55,
        "requests_per_minute": 6000,
        "hours": (),
    }
    TaskScaling(
        stack,
        "Scaling",
        cluster_name="ours",
        service=service,
        service_name="alphard-dev-service",
        requests_per_target=balancer(groups=groups).requests_per_target(),
        **{**narrow, **changed},
    )
    return alone.resources(stack)


def target(**changed: Any) -> dict[str, Any]:
    (found,) = alone.of_type(made(**changed), "AWS::ApplicationAutoScaling::ScalableTarget")
    return found


def policy(name: str, **changed: Any) -> dict[str, Any]:
    found = alone.of_type(made(**changed), "AWS::ApplicationAutoScaling::ScalingPolicy")
    (one,) = (each["TargetTrackingScalingPolicyConfiguration"] for each in found if each["PolicyName"] == name)
    assert isinstance(one, dict)
    return one


def test_the_tasks_of_this_service_are_counted_between_the_bounds() -> None:
    found = target()
    assert found["ResourceId"] == "service/ours/alphard-dev-service"
    assert (found["MinCapacity"], found["MaxCapacity"]) == (2, 9)
    assert "ScheduledActions" not in found


def test_cpu_is_kept_at_its_target() -> None:
    found = policy("cpu")
    assert found["TargetValue"] == 55
    metric = found["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "ECSServiceAverageCPUUtilization"


@pytest.mark.parametrize("groups", [1, 2])
def test_requests_a_task_are_kept_at_their_target_whichever_group_it_is_in(groups: int) -> None:
    found = policy("requests", groups=groups)
    total, *parts = found["CustomizedMetricSpecification"]["Metrics"]
    assert found["TargetValue"] == 6000
    assert total["ReturnData"] is True
    assert total["Expression"] == " + ".join(f"FILL({part['Id']}, 0)" for part in parts)
    metrics = [part["MetricStat"]["Metric"] for part in parts]
    assert [metric["MetricName"] for metric in metrics] == ["RequestCountPerTarget"] * groups
    assert [metric["Dimensions"] for metric in metrics] == [
        [{"Name": "TargetGroup", "Value": f"targetgroup/tasks{number}/0"}] for number in range(groups)
    ]
    assert {(part["MetricStat"]["Stat"], part["ReturnData"]) for part in parts} == {("Sum", False)}


def test_tasks_come_faster_than_they_go() -> None:
    for name in ("cpu", "requests"):
        found = policy(name)
        assert found["ScaleOutCooldown"] < found["ScaleInCooldown"]


def test_the_bounds_move_by_the_clock_of_a_place() -> None:
    (found,) = target(hours=[DAY])["ScheduledActions"]
    assert found == {
        "ScheduledActionName": "day",
        "Schedule": "cron(0 7 * * ? *)",
        "Timezone": "Europe/Berlin",
        "ScalableTargetAction": {"MinCapacity": 6, "MaxCapacity": 24},
    }


@pytest.mark.parametrize(
    ("five", "six"),
    [
        ("0 7 * * MON-FRI", "cron(0 7 ? * MON-FRI *)"),
        ("*/30 6-18 1,15 * *", "cron(*/30 6-18 1,15 * ? *)"),
        ("59 23 31 12 *", "cron(59 23 31 12 ? *)"),
    ],
)
def test_five_fields_are_said_as_aws_says_them(five: str, six: str) -> None:
    (found,) = target(hours=[DAY._replace(cron=five)])["ScheduledActions"]
    assert found["Schedule"] == six
