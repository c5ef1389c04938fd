"""The service as a Lambda function: image, role, logs, versions, and the target group of a balancer in front of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.access import let_read_model, let_write_lines

ALIAS = "live"
IMAGE_TAG_SUFFIX = "-lambda"

BESIDE_DEADLINE_SECONDS = 10
"""What an invocation may take beside its request's deadline: it may wait 5 s for a model that is being loaded, and the
answer is still to be sent. When Lambda's own timeout comes first, the client gets the balancer's 502 or 504 instead."""

_ARCHITECTURES = {"x86_64": lambda_.Architecture.X86_64, "arm64": lambda_.Architecture.ARM_64}


class ServiceFunction(Construct):
    """The function, and the alias ``live`` that the balancer calls, which points to the version last released.

    It stands in no VPC: it needs S3 and its own log group and nothing that is private, and in a VPC it would reach them
    only through a NAT gateway or interface endpoints, which cost more than idle traffic does. The balancer calls it
    through Lambda's own interface, which asks for a permission and not for a network.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        repository_name: str,
        image_tag: str,
        architecture: Literal["x86_64", "arm64"],
        memory_mib: int,
        request_deadline_seconds: float,
        reserved_concurrency: int | None,
        provisioned_concurrency: int,
        environment: Mapping[str, str],
        model_bucket_name: str,
        model_prefix: str,
        log_group_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        repository = ecr.Repository.from_repository_name(self, "Repository", repository_name)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.function = lambda_.DockerImageFunction(
            self,
            "Function",
            function_name=name,
            code=lambda_.DockerImageCode.from_ecr(repository, tag_or_digest=f"{image_tag}{IMAGE_TAG_SUFFIX}"),
            architecture=_ARCHITECTURES[architecture],
            memory_size=memory_mib,
            timeout=cdk.Duration.seconds(math.ceil(request_deadline_seconds) + BESIDE_DEADLINE_SECONDS),
            reserved_concurrent_executions=reserved_concurrency,
            environment=dict(environment),
            role=role.without_policy_updates(),  # the CDK would add a managed policy that reaches every log group
            log_group=logs.LogGroup.from_log_group_name(self, "LogGroup", log_group_name),
            logging_format=lambda_.LoggingFormat.JSON,
            # The service's lines are JSON already and at the level it was told. Those with figures have no level: a
            # filter above DEBUG could drop them.
            application_log_level_v2=lambda_.ApplicationLogLevel.DEBUG,
            # Without the platform's lines on every invocation that went well.
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            # So that the alias can be put back to a version that was released before.
            current_version_options=lambda_.VersionOptions(removal_policy=cdk.RemovalPolicy.RETAIN),
        )
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name=ALIAS,
            version=self.function.current_version,
            provisioned_concurrent_executions=provisioned_concurrency or None,
        )
        let_read_model(role, bucket_name=model_bucket_name, prefix=model_prefix)
        let_write_lines(role, log_group_name=log_group_name)

    def target_group(self, *, name: str, health_check_path: str) -> elbv2.ApplicationTargetGroup:
        """The target group whose one target is the alias; ``name`` is its own.

        Its health check is off. A balancer with nobody else to send to sends on whatever a check says, and each check
        by each of its nodes would be an invocation: paid, and keeping up an environment of which idle traffic lets go.
        """
        stack = cdk.Stack.of(self)
        group = elbv2.ApplicationTargetGroup(
            self,
            "Targets",
            target_group_name=name,
            target_type=elbv2.TargetType.LAMBDA,
            multi_value_headers_enabled=True,
            health_check=elbv2.HealthCheck(enabled=False, path=health_check_path),
        )
        # By its name: a permission that named its ARN would wait for the group, as the group waits for the permission.
        permission = lambda_.CfnPermission(
            self,
            "BalancerMayInvoke",
            action="lambda:InvokeFunction",
            function_name=self.alias.function_arn,
            principal="elasticloadbalancing.amazonaws.com",
            source_account=stack.account,
            source_arn=stack.format_arn(
                service="elasticloadbalancing", resource="targetgroup", resource_name=f"{name}/*"
            ),
        )
        # Not by the CDK's target, which adds a permission for every balancer of every account.
        target = elbv2.CfnTargetGroup.TargetDescriptionProperty(id=self.alias.function_arn)
        cast("elbv2.CfnTargetGroup", group.node.default_child).targets = [target]
        group.node.add_dependency(permission)
        return group
