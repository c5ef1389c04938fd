from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.account.connection import Account
from stacks.account.state import describe_state, find_url, physical_ids, wait_until_healthy
from stacks.assembly import Assembly
from stacks.errors import CommandError

NAMES = {"Storage": "alphard-dev-storage", "Serving": "alphard-dev-serving"}
GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


@pytest.fixture
def serving(account: Account) -> str:
    """The stack that serves, with a target group and a service of one task."""
    vpc = account.ask("ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    container = {"Name": "service", "Image": "image", "Memory": 128}
    resources: dict[str, Any] = {
        "Group": {"Type": GROUP, "Properties": {"Name": "group", "Protocol": "HTTP", "Port": 8000, "VpcId": vpc}},
        "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "alphard-dev-cluster"}},
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}},
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "ServiceName": "alphard-dev-service",
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Task"},
                "DesiredCount": 1,
            },
        },
    }
    template = json.dumps({"Resources": resources})
    account.ask("cloudformation", "create_stack", StackName=NAMES["Serving"], TemplateBody=template)
    return NAMES["Serving"]


def register(account: Account, stack_name: str, *addresses: str) -> None:
    (group,) = physical_ids(account, stack_name, GROUP)
    for address in addresses:
        account.ask("elbv2", "register_targets", TargetGroupArn=group, Targets=[{"Id": address, "Port": 8000}])


def test_a_stack_that_is_not_there_has_nothing(account: Account) -> None:
    assert physical_ids(account, "alphard-dev-serving", GROUP) == []


def test_the_url_is_what_the_environment_says_of_itself(account: Account) -> None:
    assert find_url(account, "dev") is None
    account.ask("ssm", "put_parameter", Name="/alphard/dev/serving/url", Value="http://a.example.com", Type="String")
    assert find_url(account, "dev") == "http://a.example.com"
    assert find_url(account, "prod") is None


def test_healthy_targets_are_counted(serving: str, account: Account) -> None:
    register(account, serving, "10.0.0.1", "10.0.0.2")
    assert wait_until_healthy(account, serving, 0) == "the balancer finds 2 of 2 targets healthy"


def test_no_target_at_all_is_not_healthy(serving: str, account: Account) -> None:
    with pytest.raises(CommandError, match="the balancer's targets are none, after 0 seconds"):
        wait_until_healthy(account, serving, 0)


def test_the_state_is_told_by_stack_service_and_target(serving: str, account: Account) -> None:
    register(account, serving, "10.0.0.1")
    lines = list(describe_state(account, Assembly({}, NAMES, 6, Path()), "/alphard/dev/service"))
    assert lines[:3] == [
        "stack alphard-dev-storage: not deployed",
        "stack alphard-dev-serving: CREATE_COMPLETE",
        "service alphard-dev-service: 0 of 1 tasks run",
    ]
    assert lines[3].startswith("  deployment ecs-svc/")
    assert lines[-2:] == [
        "targets: healthy",
        "log: aws logs tail /alphard/dev/service --since 30m --region eu-central-1",
    ]
