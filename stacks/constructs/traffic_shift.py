"""The second target group of a release that takes traffic over by and by, and the role in which ECS moves it."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct


class TrafficShift(Construct):
    """ECS registers a release's tasks in whichever of the two groups is empty, and moves the weights in ``rule``.

    ``target`` is for the service, which must wait for the whole construct: ECS tries the role when it is given it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        first: elbv2.IApplicationTargetGroup,
        second: elbv2.IApplicationTargetGroup,
        rule: elbv2.ApplicationListenerRule,
    ) -> None:
        super().__init__(scope, construct_id)
        self.target = ecs.AlternateTarget(
            "Alternate",
            alternate_target_group=second,
            production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(rule),
            role=self._role([first.target_group_arn, second.target_group_arn], rule.listener_rule_arn),
        )

    def _role(self, group_arns: Sequence[str], rule_arn: str) -> iam.Role:
        """Written out: what AWS's managed policy allows on every balancer, allowed on this rule and these groups.
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
        """
        role = iam.Role(
            self,
            "Role",
            description="Moves the traffic of the service from one release to the next",
            assumed_by=iam.ServicePrincipal("ecs.amazonaws.com"),
        )
        for actions, resources in (
            (["RegisterTargets", "DeregisterTargets"], group_arns),
            (["ModifyRule"], [rule_arn]),
            (["DescribeListeners", "DescribeRules", "DescribeTargetGroups", "DescribeTargetHealth"], ["*"]),
        ):
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=[f"elasticloadbalancing:{action}" for action in actions], resources=list(resources)
                )
            )
        cdk.Validations.of(role).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="Elastic Load Balancing lets nobody narrow what it describes to a resource.",
            )
        )
        return role
