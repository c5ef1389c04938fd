from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from stacks.constructs.flow_log import FlowLog
from tests.stacks import alone


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Any]]:
    stack = cdk.Stack(alone.app(), "Stack")
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"])
    FlowLog(stack, "FlowLog", vpc=vpc, log_group_name="/alphard/alone/flow", retention_days=60)
    return alone.resources(stack)


def test_all_traffic_of_the_vpc_is_logged(made: dict[str, dict[str, Any]]) -> None:
    (log,) = alone.of_type(made, "AWS::EC2::FlowLog")
    assert (log["ResourceType"], log["ResourceId"], log["TrafficType"]) == ("VPC", "vpc-1", "ALL")


def test_its_log_group_forgets_and_goes_with_the_network(made: dict[str, dict[str, Any]]) -> None:
    (group,) = (resource for resource in made.values() if resource["Type"] == "AWS::Logs::LogGroup")
    assert group["Properties"] == {"LogGroupName": "/alphard/alone/flow", "RetentionInDays": 60}
    assert group["DeletionPolicy"] == "Delete"


def test_its_role_writes_into_that_log_group_and_does_nothing_else(made: dict[str, dict[str, Any]]) -> None:
    (policy,) = alone.of_type(made, "AWS::IAM::Policy")
    (group,) = (key for key, resource in made.items() if resource["Type"] == "AWS::Logs::LogGroup")
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [group, "Arn"]},
        }
    ]


def test_its_role_serves_the_flow_logs_of_this_account_alone(made: dict[str, dict[str, Any]]) -> None:
    (role,) = alone.of_type(made, "AWS::IAM::Role")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1][-1] == ":vpc-flow-log/*"
