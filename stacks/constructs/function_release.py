"""How a new version of the function takes over: CodeDeploy moves the alias, watched by alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


class FunctionRelease(Construct):
    """The deployment group that the alias is moved by, whenever CloudFormation points it to another version.

    ``rolling`` and ``blue_green`` move all requests at once: a function has no tasks to take turns. ``canary`` sends
    ``step_percent`` of the requests to the new version for ``step_minutes``, and then all; ``linear`` sends as many
    more every ``step_minutes``. One of the alarms puts the alias back, for as long as the deployment runs.

    The alias waits for its deployment group, so nothing here may wait for the alias, nor for what does, as the target
    group and its alarms do: these are known by their names, and the alias by its place in the function's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alias: lambda_.Alias,
        strategy: Literal["rolling", "canary", "linear", "blue_green"],
        step_percent: int,
        step_minutes: int,
        alarm_names: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        named = [cloudwatch.Alarm.from_alarm_name(self, f"Alarm{n}", name) for n, name in enumerate(alarm_names, 1)]
        watched: list[cloudwatch.IAlarm] = [self._failing(alias), *named]
        role = self._role(alias, watched)
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            alias=alias,
            application=codedeploy.LambdaApplication(self, "Application"),
            role=role.without_policy_updates(),  # the CDK would add a managed policy that reaches every function
            deployment_config=self._configuration(strategy, step_percent, cdk.Duration.minutes(step_minutes)),
            alarms=watched,
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )
        group.node.add_dependency(role)

    def _configuration(self, strategy: str, percent: int, interval: cdk.Duration) -> codedeploy.ILambdaDeploymentConfig:
        if strategy == "canary":
            routing = codedeploy.TrafficRouting.time_based_canary(interval=interval, percentage=percent)
        elif strategy == "linear":
            routing = codedeploy.TrafficRouting.time_based_linear(interval=interval, percentage=percent)
        else:
            return codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE
        return codedeploy.LambdaDeploymentConfig(self, "Configuration", traffic_routing=routing)

    def _failing(self, alias: lambda_.Alias) -> cloudwatch.Alarm:
        """Invocations that end without an answer: a crash, a start that fails, a time-out. None is ever expected."""
        return cloudwatch.Alarm(
            self,
            "Failing",
            alarm_description="Invocations of the function fail; a deployment that is under way is rolled back.",
            metric=alias.metric_errors(period=cdk.Duration.minutes(1), statistic=cloudwatch.Stats.SUM),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _role(self, alias: lambda_.Alias, alarms: Sequence[cloudwatch.IAlarm]) -> iam.Role:
        """Of AWS's managed policy for CodeDeploy with Lambda, what a deployment without hooks and topics needs:
        https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html
        """
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"))
        function, watched = alias.lambda_.function_arn, [self._arn(alarm) for alarm in alarms]
        live = f"{function}:{alias.alias_name}"
        for actions, resources in (
            (["lambda:GetAlias", "lambda:UpdateAlias"], [function]),
            (["lambda:GetProvisionedConcurrencyConfig"], [live]),
            (["cloudwatch:DescribeAlarms"], watched),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        return role

    def _arn(self, alarm: cloudwatch.IAlarm) -> str:
        """By the name, which is a plain reference."""
        return cdk.Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=alarm.alarm_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
