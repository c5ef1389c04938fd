from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk.assertions import Template
from moto import mock_aws

from tests.stacks.constructs import test_function_release
from tests.stacks.moto_alias import teach

SKIPPED = {
    "AWS::CloudWatch::Alarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
}
"""What moto's CloudFormation passes over of a function and its release."""


def template(tag: str) -> str:
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack", synthesizer=cdk.LegacyStackSynthesizer())
    test_function_release.make(stack, image_tag=tag)
    return json.dumps(Template.from_stack(stack).to_json())


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tried to parse AWS::(CloudWatch|CodeDeploy)::", UserWarning)
        teach()
        yield


def test_a_function_behind_a_balancer_is_deployed_changed_and_removed(aws: None) -> None:
    """But its alias does not move: moto publishes the new version before it changes the function."""
    region: dict[str, Any] = {"region_name": "eu-central-1"}
    stacks, functions = boto3.client("cloudformation", **region), boto3.client("lambda", **region)

    stacks.create_stack(StackName="s", TemplateBody=template("a" * 40), Capabilities=["CAPABILITY_IAM"])
    assert image(functions) == f"alphard-dev-service:{'a' * 40}-lambda"
    alias = functions.get_alias(FunctionName="alphard-dev-function", Name="live")
    assert alias["FunctionVersion"] == "1"
    policy = json.loads(functions.get_policy(FunctionName=alias["AliasArn"])["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "elasticloadbalancing.amazonaws.com"}
    described = stacks.describe_stack_resources(StackName="s")["StackResources"]
    made = {each["ResourceType"] for each in described if "ResourceType" in each}
    expected = {each["Type"] for each in json.loads(template("a" * 40))["Resources"].values()}
    assert expected - made == SKIPPED

    stacks.update_stack(StackName="s", TemplateBody=template("b" * 40), Capabilities=["CAPABILITY_IAM"])
    assert image(functions) == f"alphard-dev-service:{'b' * 40}-lambda"

    stacks.delete_stack(StackName="s")
    assert functions.list_functions()["Functions"] == []


def image(functions: Any) -> str:
    """The repository and tag of the function's image."""
    uri: str = functions.get_function(FunctionName="alphard-dev-function")["Code"]["ImageUri"]
    return uri.rpartition("/")[2]
