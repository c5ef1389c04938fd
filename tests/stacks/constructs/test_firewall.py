from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from stacks.constructs.firewall import Firewall
from tests.stacks import alone
from tests.stacks.template_yaml import to_text

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/ours/1a2b"


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    stack = cdk.Stack(alone.app(), "Stack")
    Firewall(
        stack, "Firewall", name="alphard-dev-firewall", load_balancer_arn=ARN, rate_limit=2000, log_retention_days=14
    )
    return alone.resources(stack)


def one(found: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    (only,) = alone.of_type(found, kind)
    return only


def rules(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {rule["Name"]: rule for rule in one(found, "AWS::WAFv2::WebACL")["Rules"]}


def test_it_stands_before_the_balancer_and_lets_in_what_no_rule_stops(found: dict[str, dict[str, Any]]) -> None:
    acl = one(found, "AWS::WAFv2::WebACL")
    assert (acl["Name"], acl["Scope"], acl["DefaultAction"]) == ("alphard-dev-firewall", "REGIONAL", {"Allow": {}})
    assert one(found, "AWS::WAFv2::WebACLAssociation")["ResourceArn"] == ARN


def test_who_asks_too_often_is_stopped_before_rules_are_paid_for(found: dict[str, dict[str, Any]]) -> None:
    first = min(rules(found).values(), key=lambda rule: int(rule["Priority"]))
    assert first["Action"] == {"Block": {}}
    limit = first["Statement"]["RateBasedStatement"]
    assert limit == {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": 2000}


def test_what_aws_knows_to_be_bad_is_stopped(found: dict[str, dict[str, Any]]) -> None:
    managed = {name: rule for name, rule in rules(found).items() if "ManagedRuleGroupStatement" in rule["Statement"]}
    assert managed.keys() == {
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    }
    assert all(rule["OverrideAction"] == {"None": {}} for rule in managed.values())


def test_a_prediction_may_be_long_and_about_anything(found: dict[str, dict[str, Any]]) -> None:
    common = rules(found)["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {each["Name"]: each["ActionToUse"] for each in common["RuleActionOverrides"]}
    assert counted["SizeRestrictions_BODY"] == {"Count": {}}
    assert set(map(str, counted.values())) == {"{'Count': {}}"}
    assert all(name.endswith(("_BODY", "_HEADER")) for name in counted)


def test_what_is_blocked_is_logged_for_a_while_without_what_lets_a_client_in(found: dict[str, dict[str, Any]]) -> None:
    group = one(found, "AWS::Logs::LogGroup")
    assert (group["LogGroupName"], group["RetentionInDays"]) == ("aws-waf-logs-alphard-dev-firewall", 14)
    logging = one(found, "AWS::WAFv2::LoggingConfiguration")
    (destination,) = logging["LogDestinationConfigs"]
    assert (to_text(destination) or "").endswith(":log-group:aws-waf-logs-alphard-dev-firewall")
    assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
    hidden = {field["SingleHeader"]["Name"] for field in logging["RedactedFields"]}
    assert hidden == {"authorization", "cookie"}


def test_no_request_is_shown_in_the_console(found: dict[str, dict[str, Any]]) -> None:
    acl = one(found, "AWS::WAFv2::WebACL")
    seen = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
    assert {config["SampledRequestsEnabled"] for config in seen} == {False}
