"""Who may do what to which resource, in every environment: no more than is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.stacks.synthesis import Resource, Synthesis
from tests.stacks.template_yaml import to_text

Statement = tuple[Resource, Mapping[str, Any]]

ANY_RESOURCE = {
    "ecr:GetAuthorizationToken": "a token is for all of a registry",
    "elasticloadbalancing:DescribeListeners": "what is described is all of an account's",
    "elasticloadbalancing:DescribeRules": "what is described is all of an account's",
    "elasticloadbalancing:DescribeTargetGroups": "what is described is all of an account's",
    "elasticloadbalancing:DescribeTargetHealth": "what is described is all of an account's",
}
"""The actions that AWS lets nobody narrow to a resource (Service Authorization Reference)."""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _documents(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """The policies of this resource on what its holder may do, and on who may do something to it."""
    for key in ("PolicyDocument", "RepositoryPolicyText", "KeyPolicy"):
        if document := resource.properties.get(key):
            text = to_text(document)
            yield document if text is None else json.loads(text)
    for inline in resource.properties.get("Policies", []) if resource.type == "AWS::IAM::Role" else []:
        yield inline["PolicyDocument"]


def _allowed(synthesis: Synthesis) -> list[Statement]:
    return [
        (resource, statement)
        for resource in synthesis.resources()
        for document in _documents(resource)
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
    ]


def _trusted(synthesis: Synthesis) -> list[Statement]:
    return [
        (role, statement)
        for role in synthesis.resources("AWS::IAM::Role")
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]
    ]


def test_no_policy_allows_all_actions_of_a_service(synthesis: Synthesis) -> None:
    for resource, statement in _allowed(synthesis):
        assert "NotAction" not in statement, resource
        for action in _list(statement["Action"]):
            assert re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z]+\*?", action), f"{resource}: {action}"


def test_any_resource_is_allowed_only_where_aws_knows_no_narrower_one(synthesis: Synthesis) -> None:
    for resource, statement in _allowed(synthesis):
        assert "NotResource" not in statement, resource
        if resource.type.startswith("AWS::IAM::") and "*" in _list(statement["Resource"]):
            assert set(_list(statement["Action"])) <= ANY_RESOURCE.keys(), f"{resource}: {statement}"


def test_every_other_resource_is_named(synthesis: Synthesis) -> None:
    """No ARN of all buckets, all log groups, all roles."""
    for resource, statement in _allowed(synthesis):
        for target in map(to_text, _list(statement.get("Resource", "*"))):
            plain = re.sub(r"\$\{[^}]*\}", "known", str(target))
            *_, name = plain.split(":", 5)
            assert plain == "*" or not re.fullmatch(r"\*|[a-z-]+[:/]\*", name), f"{resource}: {target}"


def test_nobody_is_allowed_who_is_not_named(synthesis: Synthesis) -> None:
    for resource, statement in [*_allowed(synthesis), *_trusted(synthesis)]:
        assert "NotPrincipal" not in statement, resource
        assert statement.get("Principal") not in ("*", {"AWS": "*"}), resource


def test_no_managed_policy_is_attached(synthesis: Synthesis) -> None:
    """AWS widens its own as it likes."""
    for role in synthesis.resources("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role.properties, role
    assert synthesis.resources("AWS::IAM::User", "AWS::IAM::AccessKey", "AWS::IAM::ManagedPolicy") == []


def test_a_role_is_assumed_by_one_service_or_by_one_workflow(synthesis: Synthesis) -> None:
    for role, statement in _trusted(synthesis):
        ((kind, _),) = statement["Principal"].items()
        if kind == "Federated":
            equal = statement["Condition"]["StringEquals"]
            assert equal["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com", role
            assert "*" not in str(equal["token.actions.githubusercontent.com:sub"]), role
            assert statement["Condition"].keys() == {"StringEquals"}, role
        else:
            assert kind == "Service", role
            assert statement["Action"] == "sts:AssumeRole", role


def test_the_service_reads_its_own_model_and_writes_nothing(synthesis: Synthesis) -> None:
    model = synthesis.environment.model
    prefix = "/".join(part for part in (model.prefix, model.name) if part)
    of_s3 = [
        (action, to_text(target))
        for resource, statement in _allowed(synthesis)
        if resource.stack == "Serving"
        for action in _list(statement["Action"])
        for target in _list(statement["Resource"])
        if action.startswith("s3:")
    ]
    assert of_s3
    for action, target in of_s3:
        assert action in ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"), action
        assert action == "s3:ListBucket" or f"/{prefix}/" in str(target), target
