from __future__ import annotations

from typing import Any

import pytest

from stacks.constructs.fargate import Rollout
from tests.stacks import alone
from tests.stacks.constructs.test_fargate import made

ROLLOUT = Rollout("blue_green", step_percent=10, step_minutes=2, bake_minutes=10)


@pytest.fixture(scope="module")
def shifting() -> dict[str, dict[str, Any]]:
    return made(rollout=ROLLOUT)


def role_policy(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the role of the shift may do, and to what."""
    (policy,) = (each for key, each in found.items() if "ShiftRoleDefaultPolicy" in key)
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    return {str(each["Action"]): each["Resource"] for each in statements}


def ids(found: dict[str, dict[str, Any]], kind: str) -> list[str]:
    return [key for key, each in found.items() if each["Type"] == f"AWS::ElasticLoadBalancingV2::{kind}"]


def test_the_service_knows_both_groups_and_the_rule_between_them(shifting: dict[str, dict[str, Any]]) -> None:
    (service,) = alone.of_type(shifting, "AWS::ECS::Service")
    (attached,) = service["LoadBalancers"]
    shift = attached["AdvancedConfiguration"]
    first, second = ids(shifting, "TargetGroup")
    assert attached["TargetGroupArn"] == {"Ref": first}
    assert shift["AlternateTargetGroupArn"] == {"Ref": second}
    (rule,) = (key for key in ids(shifting, "ListenerRule") if "Forward" in key)
    assert shift["ProductionListenerRule"] == {"Ref": rule}


def test_ecs_moves_this_rule_and_fills_these_groups_and_no_others(shifting: dict[str, dict[str, Any]]) -> None:
    allowed = role_policy(shifting)
    (rule,) = (key for key in ids(shifting, "ListenerRule") if "Forward" in key)
    assert allowed["elasticloadbalancing:ModifyRule"] == {"Ref": rule}
    registered = allowed["['elasticloadbalancing:DeregisterTargets', 'elasticloadbalancing:RegisterTargets']"]
    assert [each["Ref"] for each in registered] == ids(shifting, "TargetGroup")
    for actions, resource in allowed.items():
        assert resource != "*" or "Describe" in actions, actions


def test_the_service_waits_until_the_role_may(shifting: dict[str, dict[str, Any]]) -> None:
    (waits,) = (each["DependsOn"] for each in shifting.values() if each["Type"] == "AWS::ECS::Service")
    assert any("ShiftRoleDefaultPolicy" in key for key in waits)


def test_a_rolling_release_needs_none_of_it() -> None:
    found = made()
    (service,) = alone.of_type(found, "AWS::ECS::Service")
    assert "AdvancedConfiguration" not in service["LoadBalancers"][0]
    assert not [key for key in found if "Shift" in key]
