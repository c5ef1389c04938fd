"""The log of a network's traffic."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct


class FlowLog(Construct):
    """Every flow, accepted or rejected, in a log group of its own that goes with the network."""

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, log_group_name: str, retention_days: int
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.CfnLogGroup(self, "LogGroup", log_group_name=log_group_name, retention_in_days=retention_days)
        log_group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        ec2.FlowLog(
            self,
            "FlowLog",
            resource_type=ec2.FlowLogResourceType.from_vpc(vpc),
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, self._role()),
        )

    def _role(self) -> iam.Role:
        """Which the destination lets write into its log group, and nothing else.

        The conditions are AWS's against a confused deputy:
        https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
        """
        flow_logs = cdk.Stack.of(self).format_arn(service="ec2", resource="vpc-flow-log", resource_name="*")
        return iam.Role(
            self,
            "Role",
            description="Writes the flow log of the VPC",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": flow_logs},
                },
            ),
        )
