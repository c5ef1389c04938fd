"""The tasks as the balancer sees them."""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

_ALGORITHMS = {
    "round_robin": elbv2.TargetGroupLoadBalancingAlgorithmType.ROUND_ROBIN,
    "least_outstanding_requests": elbv2.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
    "weighted_random": elbv2.TargetGroupLoadBalancingAlgorithmType.WEIGHTED_RANDOM,
}


class TaskTargets(elbv2.ApplicationTargetGroup):
    """Addresses of tasks, which ECS registers. CloudFormation names it, so that it can be replaced beside itself.

    With ``weighted_random`` the balancer also sends less to a target that answers 5xx more than the others do, which no
    other algorithm can: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        port: int,
        health_check_path: str,
        interval_seconds: int,
        timeout_seconds: int,
        healthy_count: int,
        unhealthy_count: int,
        deregistration_delay_seconds: int,
        algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            vpc=vpc,
            target_type=elbv2.TargetType.IP,
            port=port,
            protocol=elbv2.ApplicationProtocol.HTTP,
            health_check=elbv2.HealthCheck(
                path=health_check_path,
                healthy_http_codes="200",
                interval=cdk.Duration.seconds(interval_seconds),
                timeout=cdk.Duration.seconds(timeout_seconds),
                healthy_threshold_count=healthy_count,
                unhealthy_threshold_count=unhealthy_count,
            ),
            deregistration_delay=cdk.Duration.seconds(deregistration_delay_seconds),
            load_balancing_algorithm_type=_ALGORITHMS[algorithm],
            enable_anomaly_mitigation=True if algorithm == "weighted_random" else None,
        )


def full_name(target_group: elbv2.IApplicationTargetGroup) -> str:
    """``targetgroup/name/id``, as CloudWatch's dimension has it: the end of the ARN, which a reference gives."""
    return cdk.Fn.select(5, cdk.Fn.split(":", target_group.target_group_arn))
