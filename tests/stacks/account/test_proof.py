from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.account import proof
from stacks.account.connection import Account
from stacks.account.model import Model
from stacks.account.proof import prove
from stacks.account.state import physical_ids
from stacks.assembly import Assembly
from stacks.errors import CommandError
from stacks.settings import Environment

STACK = "alphard-dev-serving"
GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
URL = "https://predict.example.com"
MODEL = Model("models", "", "churn", "production", None)
DNS = {"zone_id": "Z0123456789", "zone_name": "example.com", "record": "predict.example.com"}
JWT = {"jwt": {"issuer": "https://login.example.com", "jwks_url": "https://login.example.com/jwks.json"}}


def environment(**load_balancer: Any) -> Environment:
    model = {"name": "churn", "alias": "production"}
    return Environment.model_validate({"name": "dev", "model": model, "dns": DNS, "load_balancer": load_balancer})


def check(account: Account, given: Environment) -> tuple[str, list[str]]:
    """What was proven, and what was said on the way. Nobody may be reached."""
    said: list[str] = []

    def reach(url: str) -> str:
        raise AssertionError(f"{url} was asked")

    names = Assembly({}, {"Serving": STACK}, 6, Path())
    return prove(given, account, names, MODEL, say=said.append, reach=reach), said


@pytest.fixture
def healthy(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack that serves, with a target that the stand-in finds healthy."""
    account.ask("ssm", "put_parameter", Name="/alphard/dev/serving/url", Value=URL, Type="String")
    vpc = account.ask("ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    properties = {"Name": "group", "Protocol": "HTTP", "Port": 8000, "VpcId": vpc}
    template = json.dumps({"Resources": {"Group": {"Type": GROUP, "Properties": properties}}})
    account.ask("cloudformation", "create_stack", StackName=STACK, TemplateBody=template)
    (group,) = physical_ids(account, STACK, GROUP)
    account.ask("elbv2", "register_targets", TargetGroupArn=group, Targets=[{"Id": "10.0.0.9", "Port": 8000}])
    monkeypatch.setattr(proof, "READY_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("door", "why"),
    [
        ({"scheme": "internal", "allowed_cidrs": ["10.0.0.0/8"]}, "is internal and cannot be reached from here"),
        ({"certificate": "own", "authentication": JWT}, "answers nobody who does not sign in"),
    ],
)
def test_where_nobody_here_may_ask_the_balancer_is_asked(
    door: dict[str, Any], why: str, healthy: None, account: Account
) -> None:
    proven, said = check(account, environment(**door))
    assert proven == f"{URL} {why}; the balancer finds 1 of 1 targets healthy"
    assert said == [f"URL  {URL}"]


def test_what_is_not_deployed_proves_nothing(account: Account) -> None:
    with pytest.raises(CommandError, match="dev is not deployed in account 123456789012, eu-central-1"):
        check(account, environment())
