from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from stacks.network import NetworkStack
from stacks.settings import Environment
from tests.stacks import alone, thuban
from tests.stacks.environments import CONTEXT, THUBAN
from tests.stacks.synthesis import Synthesis

PUBLIC, PRIVATE = ec2.SubnetType.PUBLIC, ec2.SubnetType.PRIVATE_WITH_EGRESS
BOTH = {
    "adopt": {
        "vpc_id": thuban.VPC_ID,
        "availability_zones": ["eu-central-1a", "eu-central-1b"],
        "public_subnet_ids": ["subnet-00000001", "subnet-00000002"],
        "private_subnet_ids": ["subnet-00000003", "subnet-00000004"],
    }
}
INTERNAL = {"scheme": "internal"}
FUNCTION = {"compute": "lambda", "network": {"egress": "none"}, "service": {"max_body_bytes": 1_000_000}}
SHARED: Any = THUBAN["load_balancer"]
PUBLIC_ONLY: Any = THUBAN["network"]


def _network(**settings: Any) -> NetworkStack:
    return NetworkStack(alone.app(), alone.environment(**settings))


def _written(stack: NetworkStack) -> dict[str, Any]:
    parameters = alone.of_type(alone.resources(stack), "AWS::SSM::Parameter")
    return {each["Name"].removeprefix("/alphard/alone/network/"): each["Value"] for each in parameters}


def _consumer(app: cdk.App, environment: Environment) -> cdk.Stack:
    """A stack with a security group, a balancer and the network interfaces of tasks, as the environment has them."""
    network, stack = NetworkStack(app, environment), cdk.Stack(app, "Consumer")
    vpc = network.vpc_in(stack)
    ec2.SecurityGroup(stack, "Group", vpc=vpc)
    if environment.load_balancer.listener == "own":
        subnets = network.balancer_subnets(environment.load_balancer.scheme)
        elbv2.ApplicationLoadBalancer(stack, "Balancer", vpc=vpc, vpc_subnets=subnets)
    if environment.compute == "fargate":
        tasks = vpc.select_subnets(subnet_type=network.task_subnets.subnet_type)
        for number, subnet_id in enumerate(tasks.subnet_ids):
            ec2.CfnNetworkInterface(stack, f"Task{number}", subnet_id=subnet_id)
    return stack


def test_the_identifiers_of_an_own_vpc_stand_in_parameters() -> None:
    written = _written(_network(network={"availability_zones": 3}))
    subnets = [f"{kind}-subnet-{number}" for kind in ("public", "private") for number in (1, 2, 3)]
    assert list(written) == ["vpc-id", *subnets]
    assert len({value["Ref"] for value in written.values()}) == 7


@pytest.mark.parametrize("settings", [{}, {"network": {"egress": "endpoints"}}, FUNCTION])
def test_private_subnets_are_told_with_or_without_a_way_out(settings: dict[str, Any]) -> None:
    assert {"private-subnet-1", "private-subnet-2"} <= _written(_network(**settings)).keys()


def test_of_an_adopted_vpc_nothing_is_made() -> None:
    stack = _network(network={"vpc": BOTH})
    found = alone.resources(stack)
    assert {resource["Type"] for resource in found.values()} == {"AWS::SSM::Parameter"}
    assert _written(stack) == {
        "vpc-id": thuban.VPC_ID,
        "public-subnet-1": "subnet-00000001",
        "public-subnet-2": "subnet-00000002",
        "private-subnet-1": "subnet-00000003",
        "private-subnet-2": "subnet-00000004",
    }


def test_an_own_vpc_has_the_flow_log_that_is_set() -> None:
    found = alone.resources(_network(network={"flow_log_retention_days": 7}))
    (group,) = alone.of_type(found, "AWS::Logs::LogGroup")
    assert group == {"LogGroupName": "/alphard/alone/flow", "RetentionInDays": 7}
    (log,) = alone.of_type(found, "AWS::EC2::FlowLog")
    assert found[log["ResourceId"]["Ref"]]["Type"] == "AWS::EC2::VPC"


def test_nobody_uses_the_default_security_group(synthesis: Synthesis) -> None:
    assert "DefaultSecurityGroup" not in json.dumps(synthesis.templates)


@pytest.mark.parametrize("place", [{}, {"account": thuban.ACCOUNT, "region": "us-east-1"}])
def test_zones_need_no_look_up(place: dict[str, str], tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, context=CONTEXT, outdir=str(tmp_path))
    stack = NetworkStack(app, alone.environment(**place, network={"availability_zones": 3}))
    zones = {json.dumps(each["AvailabilityZone"]) for each in alone.of_type(alone.resources(stack), "AWS::EC2::Subnet")}
    assert zones == {json.dumps({"Fn::Select": [index, {"Fn::GetAZs": ""}]}) for index in range(3)}
    assert "missing" not in json.loads((tmp_path / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("vpc", "tasks", "internet_facing", "internal"),
    [
        ("own", PRIVATE, PUBLIC, PRIVATE),
        (BOTH, PRIVATE, PUBLIC, PRIVATE),
        (PUBLIC_ONLY["vpc"], PUBLIC, PUBLIC, PUBLIC),
    ],
)
def test_tasks_stand_in_private_subnets_where_there_are_some(
    vpc: Any, tasks: ec2.SubnetType, internet_facing: ec2.SubnetType, internal: ec2.SubnetType
) -> None:
    network = _network(network={"vpc": vpc})
    assert network.task_subnets.subnet_type is tasks
    assert network.assign_public_ip is (tasks is PUBLIC)
    assert network.balancer_subnets("internet-facing").subnet_type is internet_facing
    assert network.balancer_subnets("internal").subnet_type is internal


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        ({}, {"public", "private"}),
        ({"load_balancer": INTERNAL}, {"private"}),
        (FUNCTION, {"public"}),
        ({**FUNCTION, "load_balancer": INTERNAL}, {"private"}),
        ({"load_balancer": SHARED}, {"private"}),
        ({"network": PUBLIC_ONLY, "load_balancer": SHARED}, {"public"}),
    ],
)
def test_a_consumer_reads_the_subnets_that_it_places_something_in(
    settings: dict[str, Any], known: set[str], tmp_path: Path
) -> None:
    app = cdk.App(analytics_reporting=False, context=CONTEXT, outdir=str(tmp_path))
    consumer = _consumer(app, alone.environment(**settings))
    app.synth()
    template = json.loads((tmp_path / f"{consumer.artifact_id}.template.json").read_text())
    read = [parameter["Default"] for parameter in template["Parameters"].values()]
    prefix = "/alphard/alone/network/"
    ours = [name.removeprefix(prefix) for name in read if name.startswith(prefix)]
    assert ours[0] == "vpc-id"
    assert {name.split("-")[0] for name in ours[1:]} == known
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert [violation for report in reports for violation in report["violations"]] == []


def test_a_consumer_is_deployed_after_the_network_without_an_export() -> None:
    consumer = _consumer(alone.app(), alone.environment())
    assert [stack.stack_name for stack in consumer.dependencies] == ["alphard-alone-network"]
    assert "ImportValue" not in json.dumps(alone.resources(consumer))
