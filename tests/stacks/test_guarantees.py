"""What holds in every environment, whatever is changed: data that stays, doors that are closed, names that are ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.stacks import thuban
from tests.stacks.environments import ENVIRONMENTS, SHIPPED
from tests.stacks.synthesis import Resource, Synthesis, synthesize
from tests.stacks.template_yaml import to_text

# --- what is stored --------------------------------------------------------------------------------------------------

PINNED = {
    "Repository22E53BBD": "AWS::ECR::Repository",
    "ModelBucketB33D855B": "AWS::S3::Bucket",
    "LogBucketCC3B17E8": "AWS::S3::Bucket",
    "LogGroup": "AWS::Logs::LogGroup",
}
"""What holds data. Another id is another resource: CloudFormation makes it anew, and what the old one held is left."""


def test_no_bucket_is_public(synthesis: Synthesis) -> None:
    blocked = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    for bucket in synthesis.resources("AWS::S3::Bucket"):
        assert bucket.properties["PublicAccessBlockConfiguration"] == dict.fromkeys(blocked, True), bucket
        assert "AccessControl" not in bucket.properties, bucket


def test_every_bucket_is_encrypted(synthesis: Synthesis) -> None:
    for bucket in synthesis.resources("AWS::S3::Bucket"):
        assert bucket.properties["BucketEncryption"], bucket


def test_a_model_that_was_overwritten_can_be_had_again(synthesis: Synthesis) -> None:
    for bucket in synthesis.resources("AWS::S3::Bucket"):
        if "ModelBucket" in bucket.logical_id:
            assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, bucket


def test_every_bucket_is_read_and_written_through_tls_only(synthesis: Synthesis) -> None:
    policies = synthesis.resources("AWS::S3::BucketPolicy")
    for bucket in synthesis.resources("AWS::S3::Bucket"):
        (policy,) = (policy for policy in policies if policy.properties["Bucket"] == {"Ref": bucket.logical_id})
        denied = [
            statement
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Principal"] == {"AWS": "*"}
            and statement["Action"] == "s3:*"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        covered = {to_text(resource) for statement in denied for resource in statement["Resource"]}
        assert covered == {f"${{{bucket.logical_id}.Arn}}", f"${{{bucket.logical_id}.Arn}}/*"}, bucket


def test_an_image_tag_is_never_moved(synthesis: Synthesis) -> None:
    for repository in synthesis.resources("AWS::ECR::Repository"):
        assert repository.properties["ImageTagMutability"] == "IMMUTABLE", repository
        assert repository.properties["ImageScanningConfiguration"] == {"ScanOnPush": True}, repository


def test_every_log_group_forgets(synthesis: Synthesis) -> None:
    for group in synthesis.resources("AWS::Logs::LogGroup"):
        assert group.properties["RetentionInDays"] > 0, group


def test_every_function_writes_to_a_log_group_that_the_stacks_know(synthesis: Synthesis) -> None:
    """Lambda would make one on the first line, which never forgets."""
    for function in synthesis.resources("AWS::Lambda::Function"):
        assert function.properties["LoggingConfig"]["LogGroup"], function


def _stored(synthesis: Synthesis) -> dict[str, Resource]:
    """The resources that hold data, by logical id."""
    types = {"AWS::DynamoDB::Table", "AWS::EFS::FileSystem", *PINNED.values()}
    return {r.logical_id: r for r in synthesis.resources(*types) if r.stack == "Storage" or not _is_log(r)}


def _is_log(resource: Resource) -> bool:
    """Of what can be made again; the service's own log stands in the storage stack."""
    return resource.type == "AWS::Logs::LogGroup"


def test_what_holds_data_is_retained(synthesis: Synthesis) -> None:
    for resource in _stored(synthesis).values():
        assert resource.body["DeletionPolicy"].startswith("Retain"), resource
        assert resource.body["UpdateReplacePolicy"] == "Retain", resource


def test_what_holds_data_stands_in_the_storage_stack(synthesis: Synthesis) -> None:
    assert {resource.stack for resource in _stored(synthesis).values()} <= {"Storage"}


def test_the_logical_ids_of_what_holds_data_are_pinned(synthesis: Synthesis) -> None:
    stored = {logical_id: resource.type for logical_id, resource in _stored(synthesis).items()}
    assert stored.items() <= PINNED.items()


@pytest.mark.parametrize("name", SHIPPED)
def test_an_environment_as_shipped_owns_all_that_holds_its_data(
    synthesized: Callable[[str], Synthesis], name: str
) -> None:
    assert _stored(synthesized(name)).keys() == PINNED.keys()


# --- how the stacks hang together ------------------------------------------------------------------------------------


def test_no_stack_holds_another_one_fast(synthesis: Synthesis) -> None:
    text = json.dumps(synthesis.templates)
    assert not re.findall(r"Fn::ImportValue|Fn::GetStackOutput|\"Export\"", text)


def test_nothing_is_uploaded_and_no_code_of_the_cdk_runs(synthesis: Synthesis) -> None:
    assert not [name for name in synthesis.files if name.startswith("asset.")]
    custom = [r for r in synthesis.resources() if r.type.startswith(("Custom::", "AWS::CloudFormation::Custom"))]
    assert custom == []


# --- beside Thuban ---------------------------------------------------------------------------------------------------


def _names(synthesis: Synthesis) -> set[tuple[str, str]]:
    """Of each resource that has a name in the account, the type and the name; a policy has its name within a role."""
    found = set()
    for resource in synthesis.resources():
        if resource.type == "AWS::IAM::Policy":
            continue
        last = resource.type.rpartition("::")[2]
        for key in ("Name", f"{last}Name", "GroupName", "Family"):
            if (name := to_text(resource.properties.get(key))) is not None:
                found.add((resource.type, name))
    return found


def test_nothing_is_created_under_a_name_of_thubans(synthesis: Synthesis) -> None:
    assert not _names(synthesis) & set(thuban.NAMES.items())


@pytest.mark.parametrize("name", ["cluster", "inference", "alb", "tg", "github-actions", "ecs"])
def test_no_name_of_an_environment_makes_one_of_thubans(name: str) -> None:
    synthesis = synthesize(name, {name: ENVIRONMENTS["dev"] | {"delivery": ENVIRONMENTS["public"]["delivery"]}})
    assert not _names(synthesis) & set(thuban.NAMES.items())


def test_two_environments_share_no_name(synthesized: Callable[[str], Synthesis]) -> None:
    names = [_names(synthesized(name)) for name in ENVIRONMENTS]
    assert sum(map(len, names)) == len(set().union(*names))


def test_what_thuban_owns_is_adopted_and_not_made(synthesized: Callable[[str], Synthesis]) -> None:
    types = {resource.type for resource in synthesized("thuban").resources()}
    assert not types & {
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::ECS::Cluster",
        "AWS::ECR::Repository",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::ServiceLinkedRole",
    }


# --- validation ------------------------------------------------------------------------------------------------------


def test_validation_finds_nothing(synthesis: Synthesis) -> None:
    """Of cdk-nag's AwsSolutions, of the CDK's own rules, and of what a construct says of itself."""
    assert [str(finding) for finding in synthesis.findings] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_without_an_image_tag_only_what_needs_it_is_refused(name: str) -> None:
    untagged = synthesize(name, image_tag=None)
    refused = {finding.construct.split("/")[0] for finding in untagged.findings}
    assert refused == {"Serving"}
    assert "image_tag" in " ".join(finding.description for finding in untagged.findings)
