"""A test tool: the stand-in for AWS, asking of every call whether the caller's policies allow it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from stacks.account.connection import Account
from stacks.assembly import resolve
from stacks.delivery import DeliveryStack
from stacks.settings import Environment
from stacks.storage import StorageStack
from tests.serving import ask
from tests.stacks import alone

_TRUST = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}


def statements_of(role: str, environment: Environment, account: Account) -> list[dict[str, Any]]:
    """What the environment's delivery stack lets its role of that construct id do in the account."""
    assert environment.delivery is not None
    app = alone.app()
    stack = DeliveryStack(app, environment, environment.delivery, storage=StorageStack(app, environment))
    policies = alone.of_type(alone.resources(stack), "AWS::IAM::Policy")
    (policy,) = (each for each in policies if each["PolicyName"].startswith(role))
    known = account.pseudo_parameters
    return [
        {**statement, "Resource": [resolve(resource, known) for resource in _many(statement["Resource"])]}
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def make_role(account: Account, name: str, statements: Sequence[Mapping[str, Any]]) -> str:
    """Makes a role that anybody may assume, with these statements as its only policy; its ARN."""
    made = account.ask("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    account.ask("iam", "put_role_policy", RoleName=name, PolicyName="policy", PolicyDocument=document)
    return str(made["Role"]["Arn"])


def become(account: Account, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads the AWS tools to the account as that role."""
    given = account.ask("sts", "assume_role", RoleArn=role, RoleSessionName="test")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])


@contextmanager
def guarded(endpoint: str) -> Iterator[None]:
    """Within it what is allowed to nobody is refused."""
    _allow_unasked(endpoint, "0")
    try:
        yield
    finally:
        _allow_unasked(endpoint, "inf")


def _allow_unasked(endpoint: str, calls: str) -> None:
    assert ask(urlsplit(endpoint).port or 0, "POST", "/moto-api/reset-auth", calls.encode()).status == 200
