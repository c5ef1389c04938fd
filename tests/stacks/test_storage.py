from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stacks.storage import StorageStack
from tests.stacks import alone, thuban
from tests.stacks.synthesis import Synthesis, synthesize

LOGICAL_IDS = {
    "Repository22E53BBD": "AWS::ECR::Repository",
    "ModelBucketB33D855B": "AWS::S3::Bucket",
    "ModelBucketPolicy302A379E": "AWS::S3::BucketPolicy",
    "LogBucketCC3B17E8": "AWS::S3::Bucket",
    "LogBucketPolicy900DBE48": "AWS::S3::BucketPolicy",
    "LogGroup": "AWS::Logs::LogGroup",
}
"""A resource under another id is another resource, and its data stay behind in the one before."""

ADOPTED = {
    "repository": thuban.REPOSITORY,
    "model_bucket": "team-models",
    "log_bucket": "team-logs",
    "log_group": thuban.LOG_GROUP,
}


def _storage(**settings: Any) -> StorageStack:
    return StorageStack(alone.app(), alone.environment(**settings))


def _adopting(*what: str) -> StorageStack:
    return _storage(storage={key: {"adopt": {"name": ADOPTED[key]}} for key in what})


def test_what_holds_data_keeps_its_logical_id(synthesis: Synthesis) -> None:
    found = synthesis.templates["Storage"]["Resources"]
    kinds = {key: resource["Type"] for key, resource in found.items() if resource["Type"] != "AWS::SSM::Parameter"}
    adopted = {"Repository22E53BBD", "LogGroup"} if synthesis.environment.name == "thuban" else set()
    assert kinds == {key: kind for key, kind in LOGICAL_IDS.items() if key not in adopted}


def test_what_holds_data_outlives_the_stack_and_its_own_replacement() -> None:
    found = alone.resources(_storage())
    for logical_id in LOGICAL_IDS:
        assert found[logical_id]["DeletionPolicy"] == "Retain"
        assert found[logical_id]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("production", [True, False])
def test_in_production_alone_the_log_is_protected_from_deletion(production: bool) -> None:
    required = {"load_balancer": {"scheme": "internal"}, "scaling": {"minimum_tasks": 2}}
    stack = _storage(production=production, **required)
    (group,) = alone.of_type(alone.resources(stack), "AWS::Logs::LogGroup")
    assert group["DeletionProtectionEnabled"] is production


def test_names_say_whose_they_are_and_where() -> None:
    found = alone.resources(_storage())
    place = [{"Ref": "AWS::AccountId"}, "-", {"Ref": "AWS::Region"}]
    assert found["Repository22E53BBD"]["Properties"]["RepositoryName"] == "alphard-alone-service"
    assert found["ModelBucketB33D855B"]["Properties"]["BucketName"] == {
        "Fn::Join": ["", ["alphard-alone-models-", *place]]
    }
    assert found["LogBucketCC3B17E8"]["Properties"]["BucketName"] == {"Fn::Join": ["", ["alphard-alone-logs-", *place]]}
    assert found["LogGroup"]["Properties"]["LogGroupName"] == "/alphard/alone/service"


def test_others_read_the_names_from_parameters() -> None:
    stack = _storage()
    written = {each["Name"]: each["Value"] for each in alone.of_type(alone.resources(stack), "AWS::SSM::Parameter")}
    assert written == {
        "/alphard/alone/storage/repository": stack.repository_name,
        "/alphard/alone/storage/model-bucket": stack.resolve(stack.model_bucket_name),
        "/alphard/alone/storage/log-bucket": stack.resolve(stack.log_bucket_name),
        "/alphard/alone/storage/log-group": stack.log_group_name,
    }


@pytest.mark.parametrize(
    ("what", "missing"),
    [
        ("repository", {"Repository22E53BBD"}),
        ("model_bucket", {"ModelBucketB33D855B", "ModelBucketPolicy302A379E"}),
        ("log_bucket", {"LogBucketCC3B17E8", "LogBucketPolicy900DBE48"}),
        ("log_group", {"LogGroup"}),
    ],
)
def test_what_is_adopted_is_known_by_its_name_and_not_made(what: str, missing: set[str]) -> None:
    stack = _adopting(what)
    assert getattr(stack, f"{what}_name") == ADOPTED[what]
    assert LOGICAL_IDS.keys() - alone.resources(stack).keys() == missing


def test_where_all_is_adopted_the_names_are_what_is_deployed() -> None:
    found = alone.resources(_adopting(*ADOPTED))
    assert {resource["Type"] for resource in found.values()} == {"AWS::SSM::Parameter"}
    assert {each["Value"] for each in alone.of_type(found, "AWS::SSM::Parameter")} == set(ADOPTED.values())


def test_an_own_model_bucket_logs_to_an_adopted_archive() -> None:
    storage = {"log_bucket": {"adopt": {"name": "team-logs"}}}
    model = {"name": "churn", "alias": "production"}
    synthesis = synthesize("mixed", {"mixed": {"model": model, "storage": storage}})
    assert [str(finding) for finding in synthesis.findings if finding.construct.startswith("Storage")] == []
    (bucket,) = synthesis.resources("AWS::S3::Bucket")
    assert bucket.properties["LoggingConfiguration"] == {
        "DestinationBucketName": "team-logs",
        "LogFilePrefix": "ModelBucket/",
    }


def test_the_archive_and_the_log_keep_as_long_as_is_set() -> None:
    found = alone.resources(_storage(storage={"archive_days": 400, "log_retention_days": 90}))
    rules = found["LogBucketCC3B17E8"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [400]
    assert found["LogGroup"]["Properties"]["RetentionInDays"] == 90


@pytest.mark.parametrize(("name", "pulling"), [("dev", 0), ("serverless", 1)])
def test_functions_pull_images_where_functions_serve(
    synthesized: Callable[[str], Synthesis], name: str, pulling: int
) -> None:
    (repository,) = synthesized(name).resources("AWS::ECR::Repository")
    statements = repository.properties.get("RepositoryPolicyText", {"Statement": []})["Statement"]
    assert [each["Principal"] for each in statements] == [{"Service": "lambda.amazonaws.com"}] * pulling
