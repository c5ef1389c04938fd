"""Requests to S3 as actions on resources, and the statements that allow them."""

from __future__ import annotations

import pytest

from rehearsal.access import Ask, access_key, allows, asked, list_of
from rehearsal.deployed import Statement

ONE_MODEL = Statement(("s3:GetObject",), ("arn:aws:s3:::models/team/house/*",))


@pytest.mark.parametrize(
    ("method", "path", "query", "ask"),
    [
        ("GET", "/models/house/aliases/a.json", "", Ask("s3:GetObject", "arn:aws:s3:::models/house/aliases/a.json")),
        ("GET", "/models/a.json", "x-id=GetObject", Ask("s3:GetObject", "arn:aws:s3:::models/a.json")),
        ("HEAD", "/models/a.json", "", Ask("s3:GetObject", "arn:aws:s3:::models/a.json")),
        ("PUT", "/models/a.json", "x-id=PutObject", Ask("s3:PutObject", "arn:aws:s3:::models/a.json")),
        ("DELETE", "/models/a.json", "", Ask("s3:DeleteObject", "arn:aws:s3:::models/a.json")),
        ("GET", "/models", "list-type=2&prefix=house%2F", Ask("s3:ListBucket", "arn:aws:s3:::models")),
        ("HEAD", "/models", "", Ask("s3:ListBucket", "arn:aws:s3:::models")),
        ("GET", "/models/a.json", "acl", None),
        ("PUT", "/models", "", None),
        ("GET", "/models", "policy", None),
        ("GET", "/", "", None),
    ],
)
def test_a_request_is_an_action_on_a_resource(method: str, path: str, query: str, ask: Ask | None) -> None:
    assert asked(method, path, query) == ask


def test_who_asks_is_the_key_of_the_signature() -> None:
    signed = "AWS4-HMAC-SHA256 Credential=TASK/20261124/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    assert access_key(signed) == "TASK"
    assert access_key(None) is None
    assert access_key("Basic dXNlcjpwYXNz") is None


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("s3:GetObject", "arn:aws:s3:::models/team/house/versions/1/manifest.json", True),
        ("s3:GetObject", "arn:aws:s3:::models/team/boat/versions/1/manifest.json", False),
        ("s3:GetObject", "arn:aws:s3:::others/team/house/a", False),
        ("s3:PutObject", "arn:aws:s3:::models/team/house/a", False),
    ],
)
def test_a_statement_allows_its_actions_on_its_resources(action: str, resource: str, allowed: bool) -> None:
    assert allows([ONE_MODEL], Ask(action, resource)) is allowed


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("S3:get*", "s3:GetObject", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:GetObject", "s3:GetObjectAcl", False),
        ("s3.GetObject", "s3:GetObject", False),
    ],
)
def test_actions_have_patterns_and_no_case(pattern: str, text: str, matches: bool) -> None:
    assert allows([Statement((pattern,), ("*",))], Ask(text, "arn:aws:s3:::models/a")) is matches


def test_no_statement_allows_nothing() -> None:
    assert not allows([], Ask("s3:GetObject", "arn:aws:s3:::models/a"))


def test_to_list_is_asked_of_the_bucket() -> None:
    assert list_of(Ask("s3:GetObject", "arn:aws:s3:::models/a/b")) == Ask("s3:ListBucket", "arn:aws:s3:::models")
