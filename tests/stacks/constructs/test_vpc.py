from __future__ import annotations

from typing import Any, Literal

import aws_cdk as cdk
import pytest

from stacks.constructs.vpc import OwnVpc
from tests.stacks import alone

Made = dict[str, dict[str, Any]]


def _made(egress: Literal["nat", "endpoints", "none"], *, zones: int = 2, nat_gateways: int = 1) -> Made:
    stack = cdk.Stack(alone.app(), "Stack")
    OwnVpc(stack, "Vpc", name="ours", cidr="10.1.0.0/16", zones=zones, egress=egress, nat_gateways=nat_gateways)
    return alone.resources(stack)


def _default_routes(made: Made) -> list[str]:
    """What the routes to anywhere lead through."""
    routes = alone.of_type(made, "AWS::EC2::Route")
    return sorted(key for route in routes for key in route if key.endswith("GatewayId"))


def _endpoints(made: Made, kind: str) -> list[dict[str, Any]]:
    return [each for each in alone.of_type(made, "AWS::EC2::VPCEndpoint") if each["VpcEndpointType"] == kind]


def test_each_zone_has_a_public_and_a_private_subnet_that_give_no_public_addresses() -> None:
    subnets = alone.of_type(_made("nat"), "AWS::EC2::Subnet")
    assert [subnet["MapPublicIpOnLaunch"] for subnet in subnets] == [False] * 4
    zones = [{"Fn::Select": [index, {"Fn::GetAZs": ""}]} for index in range(2)]
    assert [subnet["AvailabilityZone"] for subnet in subnets] == zones * 2


def test_a_person_finds_them_by_name() -> None:
    subnets = alone.of_type(_made("nat"), "AWS::EC2::Subnet")
    names = [tag["Value"] for subnet in subnets for tag in subnet["Tags"] if tag["Key"] == "Name"]
    assert names == ["ours-public-1", "ours-public-2", "ours-private-1", "ours-private-2"]


def test_one_zone_more_moves_no_subnet() -> None:
    one, two = (
        {key: resource for key, resource in _made("nat", zones=zones).items() if resource["Type"] == "AWS::EC2::Subnet"}
        for zones in (1, 2)
    )
    assert {key: two[key] for key in one} == one
    assert len(two) == len(one) + 2


@pytest.mark.parametrize("nat_gateways", [1, 2])
def test_private_subnets_reach_anywhere_through_as_many_gateways_as_are_paid_for(nat_gateways: int) -> None:
    made = _made("nat", nat_gateways=nat_gateways)
    assert len(alone.of_type(made, "AWS::EC2::NatGateway")) == nat_gateways
    assert _default_routes(made) == ["GatewayId"] * 2 + ["NatGatewayId"] * 2


@pytest.mark.parametrize("egress", ["endpoints", "none"])
def test_private_subnets_reach_nothing_else_without_one(egress: Literal["endpoints", "none"]) -> None:
    made = _made(egress)
    assert alone.of_type(made, "AWS::EC2::NatGateway") == []
    assert _default_routes(made) == ["GatewayId"] * 2


@pytest.mark.parametrize("egress", ["nat", "endpoints", "none"])
def test_every_subnet_reaches_s3_for_nothing(egress: Literal["nat", "endpoints", "none"]) -> None:
    made = _made(egress)
    (gateway,) = _endpoints(made, "Gateway")
    assert gateway["ServiceName"]["Fn::Join"][1][-1] == ".s3"
    tables = [{"Ref": key} for key, resource in made.items() if resource["Type"] == "AWS::EC2::RouteTable"]
    assert sorted(gateway["RouteTableIds"], key=str) == sorted(tables, key=str)


def test_endpoints_are_those_that_a_task_needs_under_the_names_that_it_knows() -> None:
    endpoints = _endpoints(_made("endpoints"), "Interface")
    services = [each["ServiceName"]["Fn::Join"][1][-1] for each in endpoints]
    assert services == [".ecr.api", ".ecr.dkr", ".logs"]
    assert [each["PrivateDnsEnabled"] for each in endpoints] == [True] * 3
    assert [len(each["SubnetIds"]) for each in endpoints] == [2] * 3


def test_endpoints_answer_the_vpc_alone_and_call_nobody() -> None:
    (group,) = alone.of_type(_made("endpoints"), "AWS::EC2::SecurityGroup")
    (ingress,) = group["SecurityGroupIngress"]
    assert (ingress["CidrIp"], ingress["IpProtocol"]) == ("10.1.0.0/16", "tcp")
    assert (ingress["FromPort"], ingress["ToPort"]) == (443, 443)
    assert [egress["CidrIp"] for egress in group["SecurityGroupEgress"]] == ["255.255.255.255/32"]


@pytest.mark.parametrize("egress", ["nat", "none"])
def test_without_endpoints_there_is_no_security_group(egress: Literal["nat", "none"]) -> None:
    made = _made(egress)
    assert _endpoints(made, "Interface") == []
    assert alone.of_type(made, "AWS::EC2::SecurityGroup") == []
