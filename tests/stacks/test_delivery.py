from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from stacks.delivery import DeliveryStack
from stacks.storage import StorageStack
from tests.stacks import alone, thuban
from tests.stacks.synthesis import Synthesis
from tests.stacks.template_yaml import to_text

DELIVERY = {"repository": "constellation/alphard", "github_environment": "live"}
ISSUER = "token.actions.githubusercontent.com"
REPOSITORIES = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository"
CDK_ROLES = {
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-hnb659fds-"
    + role
    + "-role-${AWS::AccountId}-${AWS::Region}": {"sts:AssumeRole"}
    for role in ("deploy", "file-publishing", "lookup")
}


def _delivery(*, storage: dict[str, Any] | None = None, **delivery: Any) -> DeliveryStack:
    environment = alone.environment(storage=storage or {}, delivery={**DELIVERY, **delivery})
    assert environment.delivery is not None
    app = alone.app()
    return DeliveryStack(app, environment, environment.delivery, storage=StorageStack(app, environment))


def _trust(stack: cdk.Stack) -> dict[str, Any]:
    """The one statement of who may assume the roles, which is the same for both."""
    delivery, promotion = alone.of_type(alone.resources(stack), "AWS::IAM::Role")
    assert delivery["AssumeRolePolicyDocument"] == promotion["AssumeRolePolicyDocument"]
    (statement,) = delivery["AssumeRolePolicyDocument"]["Statement"]
    trust: dict[str, Any] = statement
    return trust


def _permissions(stack: cdk.Stack, role: str) -> dict[str, set[str]]:
    """What the role of that construct id may do, by what it may do that to."""
    found: dict[str, set[str]] = {}
    for policy in alone.of_type(alone.resources(stack), "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"] if policy["PolicyName"].startswith(role) else ():
            assert statement["Effect"] == "Allow"
            for resource in _many(statement["Resource"]):
                found.setdefault(str(to_text(resource)), set()).update(_many(statement["Action"]))
    return found


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_jobs_of_one_environment_of_one_repository_may_assume_the_roles() -> None:
    trust = _trust(_delivery())
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": ["repo:constellation/alphard:environment:live"],
        }
    }


def test_with_its_ids_the_later_form_of_the_subject_is_known_too() -> None:
    trust = _trust(_delivery(owner_id=1234567, repository_id=987654321))
    assert trust["Condition"]["StringEquals"][f"{ISSUER}:sub"] == [
        "repo:constellation/alphard:environment:live",
        "repo:constellation@1234567/alphard@987654321:environment:live",
    ]


def test_each_role_has_a_name_that_a_workflow_can_know_and_its_hours() -> None:
    roles = alone.of_type(alone.resources(_delivery()), "AWS::IAM::Role")
    found = {role["RoleName"]: role["MaxSessionDuration"] for role in roles}
    assert found == {"alphard-alone-delivery": 7200, "alphard-alone-promotion": 3600}


def test_the_promotion_role_reads_one_model_and_writes_its_aliases_and_nothing_else() -> None:
    model = "arn:${AWS::Partition}:s3:::alphard-alone-models-${AWS::AccountId}-${AWS::Region}/models/churn"
    assert _permissions(_delivery(), "Promotion") == {
        f"{model}/*": {"s3:GetObject"},
        f"{model}/aliases/*": {"s3:PutObject"},
    }


@pytest.mark.parametrize(
    ("storage", "repository"),
    [({}, "alphard-alone-service"), ({"repository": {"adopt": {"name": thuban.REPOSITORY}}}, thuban.REPOSITORY)],
)
def test_the_delivery_role_pushes_to_one_repository_and_becomes_the_roles_of_the_cdk_and_nothing_else(
    storage: dict[str, Any], repository: str
) -> None:
    assert _permissions(_delivery(storage=storage), "Role") == {
        f"{REPOSITORIES}/{repository}": {
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:DescribeRepositories",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
        },
        "*": {"ecr:GetAuthorizationToken"},
        **CDK_ROLES,
    }


def test_the_account_s_provider_is_made_and_stays_for_those_who_adopted_it() -> None:
    stack = _delivery()
    found = alone.resources(stack)
    ((logical_id, provider),) = ((key, each) for key, each in found.items() if each["Type"] == "AWS::IAM::OIDCProvider")
    assert provider["Properties"] == {"Url": f"https://{ISSUER}", "ClientIdList": ["sts.amazonaws.com"]}
    assert provider["DeletionPolicy"] == "Retain"
    assert _trust(stack)["Principal"] == {"Federated": {"Ref": logical_id}}


def test_an_adopted_provider_is_trusted_and_not_made() -> None:
    stack = _delivery(oidc_provider={"adopt": {"arn": thuban.OIDC_PROVIDER_ARN}})
    assert {each["Type"] for each in alone.resources(stack).values()} == {"AWS::IAM::Role", "AWS::IAM::Policy"}
    assert _trust(stack)["Principal"] == {"Federated": thuban.OIDC_PROVIDER_ARN}


def test_an_environment_that_no_workflow_deploys_has_no_such_role(synthesis: Synthesis) -> None:
    assert ("Delivery" in synthesis.templates) is (synthesis.environment.delivery is not None)
