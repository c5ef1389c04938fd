"""The topic through which alarms and events reach a person."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class Alerts(Construct):
    """An own topic, or with ``adopted_arn`` somebody else's, whose policy must let CloudWatch and EventBridge publish.

    Every address is subscribed, and gets a mail from AWS in which it confirms that. An own topic has no key of ours:
    CloudWatch cannot publish under AWS's own key for SNS, and alarms hold no client's data.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, adopted_arn: str | None, emails: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = self._own(name) if adopted_arn is None else sns.Topic.from_topic_arn(self, "Topic", adopted_arn)
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def _own(self, name: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", topic_name=name, enforce_ssl=True)
        # Written out, since a grant knows no condition: any account's alarms and rules act as these services.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsAndEventsOfThisAccount",
                principals=[
                    iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                    iam.ServicePrincipal("events.amazonaws.com"),
                ],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        return topic
