"""The VPC that the balancer and the tasks stand in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.settings import AdoptVpc, Environment
from stacks.settings import Network as NetworkSettings


class NetworkStack(cdk.Stack):
    """An own VPC, or an adopted one; either way its identifiers stand in parameters, from which the consumers know it."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        self._network = environment.network
        super().__init__(
            scope,
            "Network",
            stack_name=environment.named("network"),
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        self._path = f"/alphard/{environment.name}/network"
        vpc_id, public, private = self._build()
        self._write("vpc-id", vpc_id)
        self._public = self._write_all("public-subnet", public)
        self._private = self._write_all("private-subnet", private)

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the VPC; an own one takes the region's first, by functions that the deployment evaluates.

        The CDK's own answer would be a look-up where account and region are known, and two zones where they are not.
        """
        vpc = self._network.vpc
        if isinstance(vpc, AdoptVpc):
            return list(vpc.adopt.availability_zones)
        return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(self._network.availability_zones)]

    @property
    def assign_public_ip(self) -> bool:
        """Whether a task needs a public address to reach AWS: the VPC has no private subnets."""
        return not self._private

    @property
    def task_subnets(self) -> ec2.SubnetSelection:
        """Where the tasks stand: the private subnets if there are some."""
        return _PRIVATE if self._private else _PUBLIC

    def balancer_subnets(self, scheme: Literal["internet-facing", "internal"]) -> ec2.SubnetSelection:
        """Where a balancer of that scheme stands."""
        return _PUBLIC if scheme == "internet-facing" else self.task_subnets

    def vpc_in(self, consumer: cdk.Stack) -> ec2.IVpc:
        """The VPC as the consumer's stack may use it, known there by parameters and not by exports."""
        consumer.add_dependency(self)

        def read(name: str) -> str:
            return ssm.StringParameter.value_for_string_parameter(consumer, name)

        return ec2.Vpc.from_vpc_attributes(
            consumer,
            "Vpc",
            vpc_id=read(f"{self._path}/vpc-id"),
            availability_zones=self.availability_zones,
            public_subnet_ids=[read(name) for name in self._public] or None,
            private_subnet_ids=[read(name) for name in self._private] or None,
        )

    def _build(self) -> tuple[str, Sequence[str], Sequence[str]]:
        """The identifiers of the VPC, its public and its private subnets."""
        if isinstance(self._network.vpc, AdoptVpc):
            vpc = self._network.vpc.adopt
            return vpc.vpc_id, vpc.public_subnet_ids, vpc.private_subnet_ids
        own = _own_vpc(self, self._network)
        public, private = own.public_subnets, own.private_subnets or own.isolated_subnets
        return own.vpc_id, [subnet.subnet_id for subnet in public], [subnet.subnet_id for subnet in private]

    def _write_all(self, what: str, values: Sequence[str]) -> list[str]:
        return [self._write(f"{what}-{number}", value) for number, value in enumerate(values, start=1)]

    def _write(self, what: str, value: str) -> str:
        """Writes a parameter and returns its name."""
        name = f"{self._path}/{what}"
        words = "".join(word.capitalize() for word in what.split("-"))
        ssm.StringParameter(self, f"{words}Parameter", parameter_name=name, string_value=value)
        return name


# Whether a private subnet has a way out stands in its routes; it does not matter to who is placed there.
_PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
_PUBLIC = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)


def _own_vpc(scope: Construct, network: NetworkSettings) -> ec2.Vpc:
    private = ec2.SubnetType.PRIVATE_WITH_EGRESS if network.egress == "nat" else ec2.SubnetType.PRIVATE_ISOLATED
    return ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(network.cidr),
        max_azs=network.availability_zones,
        nat_gateways=network.nat_gateways if network.egress == "nat" else 0,
        restrict_default_security_group=False,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
            ec2.SubnetConfiguration(name="Private", subnet_type=private),
        ],
    )
