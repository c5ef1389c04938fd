"""What ECS says of the service: kept in a log group, and a failed deployment told to a person."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

_WRITERS = ("events.amazonaws.com", "delivery.logs.amazonaws.com")


class DeploymentEvents(Construct):
    """Each change of a deployment and each complaint of the scheduler, and with ``spot`` each task that Fargate Spot
    took back, go to the log group of this name; a failed deployment goes to the topic besides.

    Rules and policy are called after ``name``. ``failure_text`` may hold ``<time>``, ``<deployment>`` and ``<reason>``.
    The events: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        cluster_name: str,
        service_name: str,
        spot: bool,
        log_group_name: str,
        retention_days: int,
        topic_arn: str,
        failure_text: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = cdk.Stack.of(self)
        self._name = name
        service_arn = self._arn("ecs", "service", f"{cluster_name}/{service_name}")
        of_service = {"source": ["aws.ecs"], "resources": [service_arn]}
        group = logs.CfnLogGroup(self, "LogGroup", log_group_name=log_group_name, retention_in_days=retention_days)
        group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        log = {"id": "log", "arn": self._log_group_arn(log_group_name)}
        rules = [
            self._rule(
                "Service", "", {**of_service, "detail-type": ["ECS Deployment State Change", "ECS Service Action"]}, log
            )
        ]
        if spot:
            interrupted = {
                "source": ["aws.ecs"],
                "detail-type": ["ECS Task State Change"],
                "detail": {
                    "clusterArn": [self._arn("ecs", "cluster", cluster_name)],
                    "group": [f"service:{service_name}"],
                    "lastStatus": ["STOPPED"],
                    "stopCode": ["SpotInterruption"],
                },
            }
            rules.append(self._rule("SpotInterruptions", "-spot", interrupted, log))
        policy = self._let_rules_write(log_group_name, [rule.name or "" for rule in rules])
        for rule in rules:
            rule.node.add_dependency(group, policy)
        failed = {
            **of_service,
            "detail-type": ["ECS Deployment State Change"],
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
        }
        self._rule("FailedDeployments", "-failed", failed, _message(topic_arn, failure_text))

    def _rule(self, construct_id: str, suffix: str, pattern: dict[str, Any], target: dict[str, Any]) -> events.CfnRule:
        # The rule of the lower level: the target of the upper one brings a custom resource for the log group's policy,
        # and lets every account's rules publish to the topic.
        return events.CfnRule(
            self,
            construct_id,
            name=f"{self._name}{suffix}",
            event_pattern=pattern,
            targets=[events.CfnRule.TargetProperty(**target)],
        )

    def _let_rules_write(self, log_group_name: str, rule_names: list[str]) -> logs.ResourcePolicy:
        """As https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.md has it; there is nothing
        to grant on, since EventBridge writes without a role."""
        streams = f"{self._log_group_arn(log_group_name)}:*"
        principals = [iam.ServicePrincipal(writer) for writer in _WRITERS]
        rule_arns = [self._arn("events", "rule", name) for name in rule_names]
        return logs.ResourcePolicy(
            self,
            "LogPolicy",
            resource_policy_name=self._name,
            policy_statements=[
                iam.PolicyStatement(principals=principals, actions=["logs:CreateLogStream"], resources=[streams]),
                iam.PolicyStatement(
                    principals=principals,
                    actions=["logs:PutLogEvents"],
                    resources=[streams],
                    conditions={"ArnEquals": {"aws:SourceArn": rule_arns}},
                ),
            ],
        )

    def _log_group_arn(self, log_group_name: str) -> str:
        return self._stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=log_group_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def _arn(self, service: str, resource: str, name: str) -> str:
        return self._stack.format_arn(service=service, resource=resource, resource_name=name)


def _message(topic_arn: str, text: str) -> dict[str, Any]:
    paths = {"time": "$.time", "deployment": "$.detail.deploymentId", "reason": "$.detail.reason"}
    transformer = events.CfnRule.InputTransformerProperty(input_template=json.dumps(text), input_paths_map=paths)
    return {"id": "topic", "arn": topic_arn, "input_transformer": transformer}
