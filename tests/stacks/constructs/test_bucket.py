from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from stacks.constructs.bucket import LogBucket, ModelBucket
from tests.stacks import alone


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Any]]:
    """Both buckets in one stack, the one logging to the other."""
    stack = cdk.Stack(alone.app(), "Stack")
    logs = LogBucket(stack, "Logs", name="logs", archive_days=100)
    ModelBucket(stack, "Models", name="models", access_logs=logs)
    return alone.resources(stack)


def _bucket(made: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = (each for each in alone.of_type(made, "AWS::S3::Bucket") if each["BucketName"] == name)
    return found


def _allowed(made: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The statements of all policies that allow something, by who is allowed."""
    statements = [
        statement
        for policy in alone.of_type(made, "AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    return {statement["Principal"]["Service"]: statement for statement in statements}


@pytest.mark.parametrize("name", ["models", "logs"])
def test_a_bucket_is_encrypted_versioned_and_without_lists_of_access(
    made: dict[str, dict[str, Any]], name: str
) -> None:
    bucket = _bucket(made, name)
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize(("name", "days"), [("models", 90), ("logs", 7)])
def test_what_was_deleted_can_be_had_back_for_a_while(made: dict[str, dict[str, Any]], name: str, days: int) -> None:
    rules = _bucket(made, name)["LifecycleConfiguration"]["Rules"]
    assert rules[0] == {
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
        "ExpiredObjectDeleteMarker": True,
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }


def test_a_model_stays_for_good_and_a_log_for_its_time(made: dict[str, dict[str, Any]]) -> None:
    assert len(_bucket(made, "models")["LifecycleConfiguration"]["Rules"]) == 1
    assert _bucket(made, "logs")["LifecycleConfiguration"]["Rules"][1:] == [
        {"Status": "Enabled", "ExpirationInDays": 100}
    ]


def test_nobody_is_let_in_but_those_who_write_logs(made: dict[str, dict[str, Any]]) -> None:
    allowed = _allowed(made)
    assert set(allowed) == {"logdelivery.elasticloadbalancing.amazonaws.com", "logging.s3.amazonaws.com"}
    assert {statement["Action"] for statement in allowed.values()} == {"s3:PutObject"}


def test_balancers_write_where_the_account_stands_in_the_path(made: dict[str, dict[str, Any]]) -> None:
    written = _allowed(made)["logdelivery.elasticloadbalancing.amazonaws.com"]["Resource"]["Fn::Join"][1]
    assert written[1:] == ["/AWSLogs/", {"Ref": "AWS::AccountId"}, "/*"]


def test_the_model_bucket_alone_is_logged(made: dict[str, dict[str, Any]]) -> None:
    statement = _allowed(made)["logging.s3.amazonaws.com"]
    (models,) = (key for key, each in made.items() if each["Properties"].get("BucketName") == "models")
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": {"Fn::GetAtt": [models, "Arn"]}}
    assert _bucket(made, "models")["LoggingConfiguration"]["LogFilePrefix"] == "Models/"
    assert statement["Resource"]["Fn::Join"][1][1] == "/Models/*"
    assert "LoggingConfiguration" not in _bucket(made, "logs")
