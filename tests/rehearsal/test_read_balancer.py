"""Target groups and a load balancer as the rehearsal drives them, or refuses to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rehearsal.deployed import FixedAnswer, LoadBalancer, TargetGroup
from rehearsal.errors import RefusedError
from rehearsal.read_balancer import read_load_balancer, read_target_group

BALANCER = {"LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]}
HTTP = {"Protocol": "HTTP"}
FORWARD = {"Type": "forward", "TargetGroupArn": "arn"}


def group(codes: str = "200", **attributes: str) -> dict[str, Any]:
    given = {
        "deregistration_delay.timeout_seconds": "30",
        "load_balancing.algorithm.type": "round_robin",
        **{key.replace("__", "."): value for key, value in attributes.items()},
    }
    return {
        "HealthCheckPath": "/ready",
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 4,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": codes},
        "TargetGroupAttributes": [{"Key": key, "Value": value} for key, value in given.items()],
    }


def rule(priority: int, paths: Sequence[str], *actions: dict[str, Any]) -> dict[str, Any]:
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}
    return {"Priority": priority, "Conditions": [condition], "Actions": list(actions)}


def fixed(status: str) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status}}


@pytest.mark.parametrize(
    ("codes", "statuses"), [("200", {200}), ("200,204", {200, 204}), ("200-202,404", {200, 201, 202, 404})]
)
def test_statuses_are_listed_or_in_ranges(codes: str, statuses: set[int]) -> None:
    assert read_target_group([group(codes)]).health_statuses == statuses


def test_two_groups_alike_are_as_one() -> None:
    found = read_target_group([group(), group()])
    assert found == TargetGroup("/ready", frozenset({200}), 5, 4, 2, 3, 30, "round_robin")


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([group(), group("204")], "differ"),
        ([group(stickiness__enabled="true")], "stickiness"),
        ([group(slow_start__duration_seconds="30")], "slow start"),
    ],
)
def test_groups_that_cannot_be_driven_are_refused(groups: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_target_group(groups)


def test_answers_of_the_balancer_itself_come_before_the_targets() -> None:
    rules = [
        rule(10, ["/*"], FORWARD),
        rule(9, ["/metrics", "/model"], fixed("404")),
        rule(11, ["/late"], fixed("410")),
    ]
    assert read_load_balancer(BALANCER, [HTTP], rules) == LoadBalancer(
        60, (FixedAnswer("/metrics", 404, ""), FixedAnswer("/model", 404, ""))
    )


@pytest.mark.parametrize(
    ("listener", "rules", "said"),
    [
        ({"Protocol": "HTTPS"}, [rule(1, ["/*"], FORWARD)], "listens on HTTPS"),
        (HTTP, [rule(1, ["/*"], {"Type": "jwt-validation"}, FORWARD)], r"who a client is \(jwt-validation\)"),
        (HTTP, [rule(1, ["/a"], {"Type": "redirect"}), rule(2, ["/*"], FORWARD)], "by redirect"),
        (HTTP, [rule(1, ["/a"], FORWARD), rule(2, ["/*"], FORWARD)], "by forward"),
        (HTTP, [{**rule(1, ["/*"], FORWARD), "Conditions": [{"Field": "host-header"}]}], "more than a path"),
    ],
)
def test_a_balancer_that_cannot_be_driven_is_refused(
    listener: dict[str, Any], rules: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        read_load_balancer(BALANCER, [listener], rules)
