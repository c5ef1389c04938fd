from __future__ import annotations

import boto3
import pytest

from service.bundle import Alias, sha256
from stacks.account.connection import Account
from stacks.account.model import Model, find_version, how_to_publish, parse_model, publish_example, read_golden
from stacks.errors import CommandError
from tests.service.manifests import manifest

ALIAS = Model("models-bucket", "team/models", "house", "production", None)
PINNED = ALIAS._replace(alias=None, version="7")


def put(model: Model, parts: tuple[str, ...], body: bytes) -> None:
    boto3.session.Session().client("s3").put_object(Bucket=model.bucket, Key=model.key(*parts), Body=body)


@pytest.fixture
def bucket(account: Account) -> None:
    account.session.client("s3").create_bucket(
        Bucket=ALIAS.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )


@pytest.fixture
def published(bucket: None) -> None:
    """Version 7, written as the model tools write it, with the alias pointing to it."""
    data = manifest().encode()
    put(ALIAS, ("versions", "7", "manifest.json"), data)
    alias = Alias(version="7", manifest_sha256=sha256(data), promoted_at="2026-11-24T00:00:00Z")
    put(ALIAS, ("aliases", "production.json"), alias.encode())


@pytest.mark.parametrize("model", [ALIAS, PINNED, ALIAS._replace(prefix=""), PINNED._replace(prefix="")])
def test_a_uri_is_taken_apart_as_it_was_put_together(model: Model) -> None:
    assert parse_model(str(model)) == model


@pytest.mark.parametrize(
    "uri", ["file:///models/house@production", "s3://bucket", "s3://bucket/models/house@", "house"]
)
def test_what_names_no_model_in_a_bucket_is_refused(uri: str) -> None:
    with pytest.raises(CommandError, match="names no model in a bucket"):
        parse_model(uri)


def test_the_version_of_an_alias_is_found(published: None, account: Account) -> None:
    assert find_version(account, ALIAS) == "7"


def test_a_pinned_version_is_found_by_its_manifest(published: None, account: Account) -> None:
    assert find_version(account, PINNED) == "7"
    assert find_version(account, PINNED._replace(version="8")) is None


@pytest.mark.parametrize("model", [ALIAS, PINNED])
def test_an_empty_bucket_and_none_at_all_have_no_version(model: Model, bucket: None, account: Account) -> None:
    assert find_version(account, model) is None
    assert find_version(account, model._replace(bucket="another-bucket")) is None


@pytest.mark.parametrize("model", [ALIAS, PINNED])
def test_the_golden_rows_are_those_of_the_manifest(model: Model, published: None, account: Account) -> None:
    golden = read_golden(account, model)
    expected = manifest().golden
    assert (golden.name, golden.version) == ("house", "7")
    assert (tuple(golden.predictions), len(golden.rows)) == (expected.predictions, len(expected.instances))


def test_without_a_version_there_are_no_golden_rows_but_the_command_that_publishes(
    bucket: None, account: Account
) -> None:
    with pytest.raises(CommandError, match="@production is not published: python -m service publish"):
        read_golden(account, ALIAS)


def test_the_command_that_publishes_names_store_and_alias_or_version() -> None:
    assert how_to_publish(ALIAS).endswith("--name house --store s3://models-bucket/team/models --alias production")
    assert how_to_publish(PINNED).endswith("--store s3://models-bucket/team/models --version 7")


def test_the_example_is_published_under_its_own_name_and_alias(bucket: None, account: Account) -> None:
    example = ALIAS._replace(name="breast-cancer")
    assert example.is_example
    assert not ALIAS.is_example
    publish_example(account, example)
    assert read_golden(account, example).predictions[0] in ("malignant", "benign")


def test_a_store_that_the_model_tools_refuse_fails_the_publication_in_one_line(account: Account) -> None:
    with pytest.raises(CommandError, match="could not be published into s3://not a bucket"):
        publish_example(account, ALIAS._replace(name="breast-cancer", bucket="not a bucket"))
