"""A stack that changes in the stand-in, as it would in AWS."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

SUBNETS = {
    f"Subnet{number}": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": f"10.9.{number}.0/24",
            "AvailabilityZone": f"us-east-1{'ab'[number]}",
        },
    }
    for number in (0, 1)
}


def template(*, idle_seconds: int, interval_seconds: int, image: str) -> str:
    idle = {"Key": "idle_timeout.timeout_seconds", "Value": str(idle_seconds)}
    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        **SUBNETS,
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Subnets": [{"Ref": name} for name in SUBNETS], "LoadBalancerAttributes": [idle]},
        },
        "Targets": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "Port": 8000,
                "Protocol": "HTTP",
                "HealthCheckPath": "/ready",
                "HealthCheckIntervalSeconds": interval_seconds,
                "Matcher": {"HttpCode": "200"},
            },
        },
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "house",
                "ContainerDefinitions": [{"Name": "service", "Image": image, "Memory": 512}],
            },
        },
    }
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


class Stack:
    """A stack, and what of it the account has."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cloudformation = boto3.session.Session().client("cloudformation")
        body = template(idle_seconds=60, interval_seconds=5, image="house:1")
        self.cloudformation.create_stack(StackName=name, TemplateBody=body)

    def ids(self) -> dict[str, str]:
        found = self.cloudformation.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def url(self) -> str:
        (found,) = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return found["Outputs"][0]["OutputValue"]


@pytest.fixture
def stack(s3: str) -> Iterator[Stack]:
    stack = Stack(f"house-{uuid.uuid4().hex[:8]}")
    yield stack
    stack.cloudformation.delete_stack(StackName=stack.name)


def change(stack: Stack, **changed: Any) -> None:
    given = {"idle_seconds": 60, "interval_seconds": 5, "image": "house:1", **changed}
    stack.cloudformation.update_stack(StackName=stack.name, TemplateBody=template(**given))


def test_a_balancer_that_changes_stays_the_same_one(stack: Stack) -> None:
    before, url = stack.ids(), stack.url()
    change(stack, idle_seconds=50)
    assert (stack.ids(), stack.url()) == (before, url)


def test_a_target_group_that_changes_stays_and_has_the_new_health_check(stack: Stack) -> None:
    before = stack.ids()
    change(stack, interval_seconds=7)
    assert stack.ids() == before
    found = boto3.session.Session().client("elbv2").describe_target_groups(TargetGroupArns=[before["Targets"]])
    assert found["TargetGroups"][0]["HealthCheckIntervalSeconds"] == 7
    assert found["TargetGroups"][0]["HealthCheckPath"] == "/ready"


def test_a_task_definition_that_changes_is_a_new_revision_with_its_container(stack: Stack) -> None:
    before = stack.ids()["Task"]
    change(stack, image="house:2")
    after = stack.ids()["Task"]
    found = boto3.session.Session().client("ecs").describe_task_definition(taskDefinition=after)["taskDefinition"]
    assert after != before
    assert found["containerDefinitions"][0]["image"] == "house:2"
