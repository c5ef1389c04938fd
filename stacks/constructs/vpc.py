"""A network of our own: public and private subnets in several zones, and a way out for the private ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

_LAID_OUT_ZONES = 4


class OwnVpc(ec2.Vpc):
    """Public and private subnets in each of the stack's first ``zones``; S3 is reached by a gateway for nothing.

    ``egress`` is the way out of the private subnets, by the list prices of us-east-1:

    - ``nat``: to anywhere, through ``nat_gateways`` that cost $33 a month each, and $0.045 a GB.
    - ``endpoints``: to ECR and CloudWatch Logs alone, through three interface endpoints that cost $22 a month and zone
      together, and $0.01 a GB: less than a gateway in each zone, more than one gateway for all zones.
    - ``none``: to S3 alone, for nothing. A task could not pull its image there; a function needs none of it.

    The addresses are laid out for four zones, so that a zone more moves no subnet. Nothing is given a public address
    unasked. The default security group is not used; it stays as AWS makes it, since only a custom resource empties it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        cidr: str,
        zones: int,
        egress: Literal["nat", "endpoints", "none"],
        nat_gateways: int,
    ) -> None:
        private = ec2.SubnetType.PRIVATE_WITH_EGRESS if egress == "nat" else ec2.SubnetType.PRIVATE_ISOLATED
        super().__init__(
            scope,
            construct_id,
            vpc_name=name,
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            max_azs=zones,
            reserved_azs=_LAID_OUT_ZONES - zones,
            nat_gateways=nat_gateways if egress == "nat" else 0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="Private", subnet_type=private),
            ],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        self.public_subnet_ids = _identify(self.public_subnets, f"{name}-public")
        self.private_subnet_ids = _identify(self.private_subnets or self.isolated_subnets, f"{name}-private")
        if egress == "endpoints":
            self._add_interface_endpoints(cidr)

    def _add_interface_endpoints(self, cidr: str) -> None:
        """What a task needs to pull its image and to write its log, beside S3."""
        group = ec2.SecurityGroup(
            self,
            "EndpointSecurityGroup",
            vpc=self,
            description="HTTPS from within the VPC to the endpoints of AWS",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "HTTPS from within the VPC")
        for endpoint_id, service in {
            "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
            "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
            "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
        }.items():
            self.add_interface_endpoint(
                endpoint_id, service=service, security_groups=[group], open=False, private_dns_enabled=True
            )


def _identify(subnets: Sequence[ec2.ISubnet], name: str) -> list[str]:
    """Names the subnets, and with each its routes and its gateway, as a person finds them; answers their ids."""
    for number, subnet in enumerate(subnets, start=1):
        cdk.Tags.of(subnet).add("Name", f"{name}-{number}")
    return [subnet.subnet_id for subnet in subnets]
