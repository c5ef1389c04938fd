"""The load balancer and its target groups, out of resolved resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from rehearsal.deployed import FixedAnswer, LoadBalancer, TargetGroup
from rehearsal.errors import RefusedError

Properties = Mapping[str, Any]


def read_target_group(groups: Iterable[Properties]) -> TargetGroup:
    """The one target group, or what both are like. Raises RefusedError for what the rehearsal cannot drive."""
    first, *others = map(_target_group, groups)
    if any(other != first for other in others):
        raise RefusedError("target groups that differ from each other cannot be rehearsed")
    return first


def _target_group(group: Properties) -> TargetGroup:
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


def read_load_balancer(
    balancer: Properties, listeners: Iterable[Properties], rules: Iterable[Properties]
) -> LoadBalancer:
    """The balancer with what its rules answer without a target. Raises RefusedError for what cannot be driven."""
    if any(listener["Protocol"] != "HTTP" for listener in listeners):
        raise RefusedError("a load balancer that listens on HTTPS cannot be rehearsed")
    by_priority = sorted(rules, key=lambda rule: int(rule["Priority"]))
    # What comes after the rule that takes everything else never gets a request.
    answers = [_fixed_answers(rule) for rule in takewhile(lambda rule: not _forwards(rule), by_priority)]
    attributes = _attributes(balancer["LoadBalancerAttributes"])
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
