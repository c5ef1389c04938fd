"""The VPC that the balancer and the tasks stand in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.constructs.flow_log import FlowLog
from stacks.constructs.vpc import OwnVpc
from stacks.settings import AdoptVpc, Environment


class NetworkStack(cdk.Stack):
    """An own VPC, or an adopted one; either way its identifiers stand in parameters, from which consumers know it:
    ``/alphard/<environment>/network/vpc-id``, ``.../public-subnet-1`` and so on, ``.../private-subnet-1`` and so on.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        self._environment = environment
        super().__init__(
            scope,
            "Network",
            stack_name=environment.named("network"),
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        self._path = f"/alphard/{environment.name}/network"
        vpc_id, public, private = self._identifiers()
        self._write("vpc-id", vpc_id)
        self._public = self._write_all("public-subnet", public)
        self._private = self._write_all("private-subnet", private)

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the VPC; those of an own one are the region's first, as the deployment finds them.

        The CDK would look them up where account and region are known, and else answer two, however many are wanted.
        """
        network = self._environment.network
        if isinstance(network.vpc, AdoptVpc):
            return list(network.vpc.adopt.availability_zones)
        return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(network.availability_zones)]

    @property
    def task_subnets(self) -> ec2.SubnetSelection:
        """Where tasks stand: in the private subnets, or in the public ones of a VPC without."""
        return ec2.SubnetSelection(subnet_type=self._tasks)

    @property
    def assign_public_ip(self) -> bool:
        """Whether a task needs a public address to reach AWS, since there is no private subnet for it."""
        return self._tasks is ec2.SubnetType.PUBLIC

    def balancer_subnets(self, scheme: Literal["internet-facing", "internal"]) -> ec2.SubnetSelection:
        """Where a balancer stands: in the public subnets, or if it is internal where the tasks do."""
        return ec2.SubnetSelection(subnet_type=self._balancer(scheme))

    def vpc_in(self, consumer: cdk.Stack) -> ec2.IVpc:
        """The VPC as the consumer's stack may use it, known there by parameters and not by exports; once a consumer.

        Of its subnets it has those in which the environment's balancer or tasks stand: a template's parameter that
        none of its resources uses is a finding.
        """
        consumer.add_stack_dependency(self, "reads the network's parameters")
        environment, used = self._environment, set[ec2.SubnetType]()
        if environment.compute == "fargate":
            used.add(self._tasks)
        if environment.load_balancer.listener == "own":
            used.add(self._balancer(environment.load_balancer.scheme))
        vpc = ec2.Vpc.from_vpc_attributes(
            consumer,
            "Vpc",
            vpc_id=_read(consumer, f"{self._path}/vpc-id"),
            availability_zones=self.availability_zones,
            public_subnet_ids=_read_all(consumer, self._public) if ec2.SubnetType.PUBLIC in used else None,
            private_subnet_ids=_read_all(consumer, self._private) if _PRIVATE in used else None,
        )
        cdk.Validations.of(vpc).acknowledge(
            cdk.Acknowledgment(
                id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
                reason="No consumer adds a route: routes are made where the subnets are.",
            )
        )
        return vpc

    @property
    def _tasks(self) -> ec2.SubnetType:
        return _PRIVATE if self._private else ec2.SubnetType.PUBLIC

    def _balancer(self, scheme: Literal["internet-facing", "internal"]) -> ec2.SubnetType:
        return ec2.SubnetType.PUBLIC if scheme == "internet-facing" else self._tasks

    def _identifiers(self) -> tuple[str, Sequence[str], Sequence[str]]:
        """Of the VPC, of its public and of its private subnets."""
        network, named = self._environment.network, self._environment.named
        if isinstance(network.vpc, AdoptVpc):
            adopted = network.vpc.adopt
            return adopted.vpc_id, adopted.public_subnet_ids, adopted.private_subnet_ids
        vpc = OwnVpc(
            self,
            "Vpc",
            name=named("vpc"),
            cidr=network.cidr,
            zones=network.availability_zones,
            egress=network.egress,
            nat_gateways=network.nat_gateways,
        )
        FlowLog(
            self,
            "FlowLog",
            vpc=vpc,
            log_group_name=f"/alphard/{self._environment.name}/flow",
            retention_days=network.flow_log_retention_days,
        )
        return vpc.vpc_id, vpc.public_subnet_ids, vpc.private_subnet_ids

    def _write_all(self, what: str, values: Sequence[str]) -> list[str]:
        return [self._write(f"{what}-{number}", value) for number, value in enumerate(values, start=1)]

    def _write(self, what: str, value: str) -> str:
        """Writes a parameter and answers its name."""
        name = f"{self._path}/{what}"
        words = "".join(word.capitalize() for word in what.split("-"))
        ssm.StringParameter(self, f"{words}Parameter", parameter_name=name, string_value=value)
        return name


# To a consumer a subnet is private with or without a way out: that stands in its routes, and who is placed there knows.
_PRIVATE = ec2.SubnetType.PRIVATE_WITH_EGRESS


def _read_all(consumer: cdk.Stack, names: Sequence[str]) -> list[str]:
    return [_read(consumer, name) for name in names]


def _read(consumer: cdk.Stack, name: str) -> str:
    return ssm.StringParameter.value_for_string_parameter(consumer, name)
