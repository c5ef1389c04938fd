from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from stacks.constructs.target_group import full_name
from tests.stacks import alone
from tests.stacks.constructs.sites import targets, vpc_in


def made(**changed: Any) -> dict[str, Any]:
    stack = cdk.Stack(alone.app(), "Stack")
    targets(stack, "Targets", vpc_in(stack), **changed)
    (found,) = alone.of_type(alone.resources(stack), "AWS::ElasticLoadBalancingV2::TargetGroup")
    return found


def attributes(**changed: Any) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in made(**changed)["TargetGroupAttributes"]}


def test_a_task_is_asked_whether_it_is_ready_as_often_as_was_said() -> None:
    found = made(interval_seconds=7, timeout_seconds=3, healthy_count=4, unhealthy_count=5)
    assert {key: found[key] for key in found if "ealth" in key or key == "Matcher"} == {
        "HealthCheckPath": "/ready",
        "HealthCheckIntervalSeconds": 7,
        "HealthCheckTimeoutSeconds": 3,
        "HealthyThresholdCount": 4,
        "UnhealthyThresholdCount": 5,
        "Matcher": {"HttpCode": "200"},
    }


def test_its_targets_are_addresses_at_the_port() -> None:
    found = made(port=9000)
    assert (found["TargetType"], found["Protocol"], found["Port"]) == ("ip", "HTTP", 9000)


def test_it_can_be_replaced_beside_itself() -> None:
    assert "Name" not in made()


def test_a_target_that_leaves_has_as_long_as_was_said() -> None:
    assert attributes(deregistration_delay_seconds=45)["deregistration_delay.timeout_seconds"] == "45"


@pytest.mark.parametrize("algorithm", ["round_robin", "least_outstanding_requests", "weighted_random"])
def test_anomalies_are_mitigated_where_the_algorithm_can(algorithm: str) -> None:
    found = attributes(algorithm=algorithm)
    assert found["load_balancing.algorithm.type"] == algorithm
    mitigation = found.get("load_balancing.algorithm.anomaly_mitigation")
    assert mitigation == ("on" if algorithm == "weighted_random" else None)


def test_its_full_name_is_the_end_of_its_arn() -> None:
    stack = cdk.Stack(alone.app(), "Stack")
    name = stack.resolve(full_name(targets(stack, "Targets", vpc_in(stack))))
    (index, text) = name["Fn::Select"]
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/tasks/1a2b"
    assert text["Fn::Split"][1].keys() == {"Ref"}
    assert arn.split(text["Fn::Split"][0])[index] == "targetgroup/tasks/1a2b"
