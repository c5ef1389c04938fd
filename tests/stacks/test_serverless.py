"""The service on Lambda: what an environment has there, behind a balancer of its own and behind Thuban's."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from cfnlint.api import lint
from cfnlint.core import get_rules

from tests.stacks.environments import ENVIRONMENTS
from tests.stacks.synthesis import Synthesis, synthesize
from tests.stacks.template_yaml import to_text

_NOT_OF_LAMBDA = ("fargate", "scaling")


@pytest.fixture(scope="module")
def shared() -> Synthesis:
    """A function behind Thuban's balancer."""
    kept = {key: value for key, value in ENVIRONMENTS["thuban"].items() if key not in _NOT_OF_LAMBDA}
    changed = {"compute": "lambda", "service": {"max_body_bytes": 1_000_000}}
    return synthesize("shared", {"shared": {**kept, **changed}})


@pytest.fixture(params=["own", "shared"])
def on_lambda(request: pytest.FixtureRequest, synthesized: Callable[[str], Synthesis]) -> Synthesis:
    if request.param == "own":
        return synthesized("serverless")
    return request.getfixturevalue("shared")  # type: ignore[no-any-return]  # as the fixture says


def test_nothing_of_fargate_is_there(on_lambda: Synthesis) -> None:
    types = {resource.type for resource in on_lambda.resources()}
    assert not {kind for kind in types if kind.startswith(("AWS::ECS::", "AWS::ApplicationAutoScaling::"))}


def test_the_function_stands_in_no_network(on_lambda: Synthesis) -> None:
    (function,) = on_lambda.resources("AWS::Lambda::Function")
    assert "VpcConfig" not in function.properties


def test_behind_an_adopted_balancer_nothing_else_is_made_for_requests(shared: Synthesis) -> None:
    types = {resource.type for resource in shared.resources()}
    assert not types & {"AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::EC2::VPC", "AWS::EC2::SecurityGroup"}


def test_no_rule_finds_anything_behind_an_adopted_balancer(shared: Synthesis) -> None:
    assert [str(finding) for finding in shared.findings] == []
    rules = get_rules([], ["W3005"], [])
    assert [str(match) for template in shared.templates.values() for match in lint(json.dumps(template), rules)] == []


def test_a_release_is_undone_by_alarms_that_are_there(on_lambda: Synthesis) -> None:
    (group,) = on_lambda.resources("AWS::CodeDeploy::DeploymentGroup")
    watched = {to_text(alarm["Name"]) for alarm in group.properties["AlarmConfiguration"]["Alarms"]}
    serving = [alarm for alarm in on_lambda.resources("AWS::CloudWatch::Alarm") if alarm.stack == "Serving"]
    assert watched == {to_text(alarm.properties.get("AlarmName", {"Ref": alarm.logical_id})) for alarm in serving}
    assert len(watched) == 3


def test_a_release_that_is_not_ready_is_a_failed_one(
    on_lambda: Synthesis, synthesized: Callable[[str], Synthesis]
) -> None:
    def failures(synthesis: Synthesis) -> str:
        filters = [each for each in synthesis.resources("AWS::Logs::MetricFilter") if each.stack == "Serving"]
        return str(filters[0].properties["FilterPattern"])

    assert "503" not in failures(on_lambda)
    assert "$.status = 500" in failures(synthesized("dev"))
