"""A stack for one construct at a time, and what the construct makes in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from constructs import Construct

from stacks.constructs.alarms import Pager
from stacks.constructs.metrics import Balancer
from stacks.constructs.runbook import Runbook

RUNBOOK = Runbook(
    dashboard_name="alphard-dev-operations",
    query_folder="alphard/dev",
    model_rollback="put the model back",
    release_rollback="put the release back",
)


def made(make: Callable[[cdk.Stack], Construct], *types: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of these types by logical id."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack")
    make(stack)
    resources = Template.from_stack(stack).to_json()["Resources"]
    return {key: each.get("Properties", {}) for key, each in resources.items() if each["Type"] in types}


def pager(stack: cdk.Stack) -> Pager:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:eu-central-1:123456789012:alerts")
    return Pager("alphard-dev-{}".format, topic, RUNBOOK)


def balancer(*, shared: bool = False, function: bool = False, groups: int = 1) -> Balancer:
    names = [f"targetgroup/tasks{index}/0" for index in range(groups)]
    return Balancer(load_balancer="app/ours/0", target_groups=names, shared=shared, function=function)
