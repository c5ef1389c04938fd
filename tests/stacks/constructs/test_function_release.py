from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from stacks.constructs.function_release import FunctionRelease
from tests.stacks.constructs import test_function
from tests.stacks.constructs.resources import made
from tests.stacks.template_yaml import to_text


def make(stack: cdk.Stack, **changed: Any) -> FunctionRelease:
    narrow: dict[str, Any] = {"strategy": "rolling", "step_percent": 10, "step_minutes": 2}
    of_function = {key: changed.pop(key) for key in changed.keys() - narrow.keys()}
    return FunctionRelease(
        stack,
        "Release",
        alias=test_function.make(stack, **of_function).alias,
        alarm_names=["alphard-dev-other"],
        **{**narrow, **changed},
    )


def one(kind: str, **changed: Any) -> dict[str, Any]:
    (found,) = made(lambda stack: make(stack, **changed), kind).values()
    return found


@pytest.mark.parametrize("strategy", ["rolling", "blue_green"])
def test_all_requests_move_at_once(strategy: str) -> None:
    group = one("AWS::CodeDeploy::DeploymentGroup", strategy=strategy)
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    assert made(lambda stack: make(stack, strategy=strategy), "AWS::CodeDeploy::DeploymentConfig") == {}


@pytest.mark.parametrize(
    ("strategy", "routing"),
    [
        (
            "canary",
            {"Type": "TimeBasedCanary", "TimeBasedCanary": {"CanaryPercentage": 20, "CanaryInterval": 5}},
        ),
        (
            "linear",
            {"Type": "TimeBasedLinear", "TimeBasedLinear": {"LinearPercentage": 20, "LinearInterval": 5}},
        ),
    ],
)
def test_requests_move_in_the_steps_that_are_set(strategy: str, routing: dict[str, Any]) -> None:
    configuration = one("AWS::CodeDeploy::DeploymentConfig", strategy=strategy, step_percent=20, step_minutes=5)
    assert configuration == {"ComputePlatform": "Lambda", "TrafficRoutingConfig": routing}


def test_an_alarm_puts_the_alias_back() -> None:
    group = one("AWS::CodeDeploy::DeploymentGroup")
    (failing,) = made(make, "AWS::CloudWatch::Alarm")
    assert group["AlarmConfiguration"] == {
        "Enabled": True,
        "Alarms": [{"Name": {"Ref": failing}}, {"Name": "alphard-dev-other"}],
    }
    rollback = group["AutoRollbackConfiguration"]
    assert rollback["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in rollback["Events"]


def test_its_role_moves_this_alias_and_reads_these_alarms() -> None:
    policies = made(make, "AWS::IAM::Policy")
    (document,) = (each["PolicyDocument"] for key, each in policies.items() if key.startswith("Release"))
    allowed = {str(each["Action"]): each["Resource"] for each in document["Statement"]}
    (function,) = made(make, "AWS::Lambda::Function")
    (failing,) = made(make, "AWS::CloudWatch::Alarm")
    assert to_text(allowed["['lambda:GetAlias', 'lambda:UpdateAlias']"]) == f"${{{function}.Arn}}"
    assert to_text(allowed["lambda:GetProvisionedConcurrencyConfig"]) == f"${{{function}.Arn}}:live"
    named = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"
    watched = [to_text(alarm) for alarm in allowed["cloudwatch:DescribeAlarms"]]
    assert watched == [f"{named}${{{failing}}}", f"{named}alphard-dev-other"]
    assert all("ManagedPolicyArns" not in role for role in made(make, "AWS::IAM::Role").values())


def test_nothing_waits_for_the_alias_that_waits_for_its_deployment_group() -> None:
    (alias,) = made(make, "AWS::Lambda::Alias")
    types = ("AWS::CloudWatch::Alarm", "AWS::IAM::Policy", "AWS::CodeDeploy::DeploymentGroup")
    released = {key: each for key, each in made(make, *types).items() if key.startswith("Release")}
    assert len(released) == len(types)
    assert alias not in str(released)
