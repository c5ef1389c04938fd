"""What the constructs that serve are put beside: a network, a cluster, target groups, a listener."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from stacks.constructs.load_balancer import LoadBalancer
from stacks.constructs.target_group import TaskTargets

ZONES = ["eu-central-1a", "eu-central-1b"]
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
PUBLIC, PRIVATE = ["subnet-00000001", "subnet-00000002"], ["subnet-00000003", "subnet-00000004"]


def vpc_in(stack: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-00000001",
        availability_zones=ZONES,
        public_subnet_ids=PUBLIC,
        private_subnet_ids=PRIVATE,
    )


def targets(stack: cdk.Stack, construct_id: str, vpc: ec2.IVpc, **changed: Any) -> TaskTargets:
    narrow: dict[str, Any] = {
        "port": 8000,
        "health_check_path": "/ready",
        "interval_seconds": 5,
        "timeout_seconds": 4,
        "healthy_count": 2,
        "unhealthy_count": 3,
        "deregistration_delay_seconds": 30,
        "algorithm": "least_outstanding_requests",
    }
    return TaskTargets(stack, construct_id, vpc=vpc, **{**narrow, **changed})


def load_balancer(stack: cdk.Stack, vpc: ec2.IVpc, **changed: Any) -> LoadBalancer:
    narrow: dict[str, Any] = {
        "subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
        "scheme": "internet-facing",
        "allowed_cidrs": ["203.0.113.0/24", "198.51.100.0/24"],
        "certificate": None,
        "asks_identity_provider": False,
        "idle_timeout_seconds": 60,
        "log_bucket_name": f"logs-{cdk.Aws.ACCOUNT_ID}",
        "deletion_protection": False,
    }
    return LoadBalancer(stack, "LoadBalancer", vpc=vpc, **{**narrow, **changed})


def certificate() -> elbv2.IListenerCertificate:
    return elbv2.ListenerCertificate.from_arn(CERTIFICATE)
