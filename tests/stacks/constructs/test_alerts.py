from __future__ import annotations

from typing import Any

import pytest

from stacks.constructs.alerts import Alerts
from tests.stacks.constructs.resources import made

ADOPTED = "arn:aws:sns:eu-central-1:123456789012:pager"


def alerts(*types: str, adopted_arn: str | None = None) -> list[dict[str, Any]]:
    emails = ["a@example.com", "b@example.com"]
    found = made(
        lambda stack: Alerts(stack, "Alerts", name="alphard-dev-alerts", adopted_arn=adopted_arn, emails=emails), *types
    )
    return list(found.values())


@pytest.fixture(scope="module")
def statements() -> list[dict[str, Any]]:
    (policy,) = alerts("AWS::SNS::TopicPolicy")
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_nothing_is_published_without_tls(statements: list[dict[str, Any]]) -> None:
    (denied,) = (one for one in statements if one["Effect"] == "Deny")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (denied["Action"], denied["Principal"]) == ("sns:Publish", "*")


def test_alarms_and_rules_of_this_account_alone_may_publish(statements: list[dict[str, Any]]) -> None:
    (allowed,) = (one for one in statements if one["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("adopted_arn", [None, ADOPTED])
def test_every_address_is_subscribed(adopted_arn: str | None) -> None:
    subscribed = alerts("AWS::SNS::Subscription", adopted_arn=adopted_arn)
    assert [(one["Protocol"], one["Endpoint"]) for one in subscribed] == [
        ("email", "a@example.com"),
        ("email", "b@example.com"),
    ]


def test_an_adopted_topic_is_left_as_it_is() -> None:
    assert alerts("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", adopted_arn=ADOPTED) == []
    assert {one["TopicArn"] for one in alerts("AWS::SNS::Subscription", adopted_arn=ADOPTED)} == {ADOPTED}
