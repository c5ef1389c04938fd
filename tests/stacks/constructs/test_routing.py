from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk

from service.problems import NOT_FOUND
from service.routes import routes
from stacks.constructs.routing import Authenticate, Routing, ask_cognito, verify_jwt
from tests.stacks import alone
from tests.stacks.constructs.sites import certificate, load_balancer, targets, vpc_in

POOL = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI"


def rules(
    *, groups: int = 1, authenticate: Authenticate | None = None, cognito: bool = False, **changed: Any
) -> list[dict[str, Any]]:
    """Sorted by their priority."""
    stack = cdk.Stack(alone.app(), "Stack")
    vpc = vpc_in(stack)
    if cognito:
        authenticate = ask_cognito(stack, user_pool_arn=POOL, client_id="1a2b", domain="ours")
    Routing(
        stack,
        "Routing",
        listener=load_balancer(stack, vpc, certificate=certificate()).entrance,
        target_groups=[targets(stack, f"Targets{number}", vpc) for number in range(groups)],
        authenticate=authenticate,
        **{"priority": 1, "hosts": (), **changed},
    )
    found = alone.of_type(alone.resources(stack), "AWS::ElasticLoadBalancingV2::ListenerRule")
    return sorted(found, key=lambda rule: int(rule["Priority"]))


def conditions(rule: dict[str, Any]) -> dict[str, list[str]]:
    return {each["Field"]: each[key]["Values"] for each in rule["Conditions"] for key in each if key.endswith("Config")}


def test_the_operators_figures_are_hidden_before_everything_is_sent_on() -> None:
    hide, forward = rules(priority=7)
    assert (hide["Priority"], forward["Priority"]) == (7, 8)
    assert conditions(hide) == {"path-pattern": ["/metrics"]}
    assert conditions(forward) == {"path-pattern": ["/*"]}
    assert [action["Type"] for action in hide["Actions"]] == ["fixed-response"]
    assert [action["Type"] for action in forward["Actions"]] == ["forward"]


def test_what_is_hidden_is_there() -> None:
    (hidden,) = conditions(rules()[0])["path-pattern"]
    anything: Any = None
    assert hidden in {route.path for route in routes(anything, anything, anything, anything)}


def test_with_hosts_both_rules_are_for_these_alone() -> None:
    hosts = ["api.example.com", "*.example.org"]
    assert [conditions(rule)["host-header"] for rule in rules(hosts=hosts)] == [hosts, hosts]


def test_two_groups_begin_with_all_traffic_at_the_first() -> None:
    _, forward = rules(groups=2)
    (action,) = forward["Actions"]
    assert [group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]] == [100, 0]


def test_a_token_is_verified_before_a_request_is_sent_on() -> None:
    told = {"issuer": "https://login.example.com", "jwks_url": "https://login.example.com/keys"}
    _, forward = rules(authenticate=verify_jwt(**told))
    verify, send = sorted(forward["Actions"], key=lambda action: int(action["Order"]))
    assert verify["JwtValidationConfig"] == {"Issuer": told["issuer"], "JwksEndpoint": told["jwks_url"]}
    assert send["Type"] == "forward"


def test_a_person_logs_in_before_a_request_is_sent_on() -> None:
    _, forward = rules(cognito=True)
    ask, send = sorted(forward["Actions"], key=lambda action: int(action["Order"]))
    assert ask["AuthenticateCognitoConfig"] == {
        "UserPoolArn": POOL,
        "UserPoolClientId": "1a2b",
        "UserPoolDomain": "ours",
    }
    assert send["Type"] == "forward"


def test_what_is_hidden_is_as_little_there_as_what_is_not() -> None:
    """A balancer knows a few content types alone, and ``application/problem+json`` is none of them:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
    """
    (answer,) = rules()[0]["Actions"]
    told = answer["FixedResponseConfig"]
    assert (told["StatusCode"], told["ContentType"]) == ("404", "application/json")
    expected = {"type": NOT_FOUND.type, "title": NOT_FOUND.title, "status": NOT_FOUND.status}
    assert json.loads(told["MessageBody"]) == expected
    assert len(told["MessageBody"]) <= 1024
