"""The VPC that the balancer and the tasks stand in."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.settings import Environment


class NetworkStack(cdk.Stack):
    """An own VPC, or an adopted one; either way its identifiers stand in parameters, from which the consumers know it."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "Network", stack_name=environment.named("network"))

    def vpc_in(self, consumer: cdk.Stack) -> ec2.IVpc:
        """The VPC as the consumer's stack may use it, known there by parameters and not by exports."""
        raise NotImplementedError
