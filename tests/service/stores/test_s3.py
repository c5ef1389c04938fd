from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config

from service.bundle import Alias, sha256
from service.errors import NotFoundError, StoreError, UnavailableError
from service.stores import Store, open_store
from service.stores.s3 import S3Objects
from service.stores.uri import parse_store
from tests.service.bundles import make_bundle
from tests.service.faults import Fault, Relay, relay


@pytest.fixture
def faults(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A relay on the way to the server, with nothing wrong yet, and a client that does not retry."""
    monkeypatch.setattr("service.stores.s3._CONFIG", Config(retries={"total_max_attempts": 1}))
    with relay(s3, lambda *_: None) as control:
        monkeypatch.setenv("AWS_ENDPOINT_URL", control.endpoint)
        yield control


@pytest.fixture
def store(faults: Relay, bucket: str) -> Store:
    return open_store(f"s3://{bucket}/models")


def test_moto_decides_conditional_writes_as_s3_does(bucket: str) -> None:
    client = boto3.session.Session().client("s3")
    client.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    tag = client.get_object(Bucket=bucket, Key="k")["ETag"]
    with pytest.raises(client.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    client.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=tag)
    with pytest.raises(client.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket, Key="k", Body=b"4", IfMatch=tag)
    with pytest.raises(client.exceptions.ClientError, match="NoSuchKey"):
        client.put_object(Bucket=bucket, Key="gone", Body=b"4", IfMatch=tag)
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"


def test_keys_stay_under_the_prefix(bucket: str) -> None:
    open_store(f"s3://{bucket}/team%20a/models").create_version(*make_bundle())
    found = boto3.session.Session().client("s3").list_objects_v2(Bucket=bucket)
    assert all(item["Key"].startswith("team a/models/iris/versions/1/") for item in found["Contents"])
    assert open_store(f"s3://{bucket}/team%20a").list_versions("iris") == []
    assert open_store(f"s3://{bucket}/team%20a/models").list_models() == ["iris"]


def test_an_alias_that_has_not_moved_is_not_sent_again(store: Store, faults: Relay, bucket: str) -> None:
    alias = Alias(version="1", manifest_sha256="0" * 64, promoted_at="now")
    store.move_alias("iris", "production", alias, expected_tag=None)
    pointer = store.read_alias("iris", "production")
    faults.seen.clear()
    assert store.poll_alias("iris", "production", pointer.tag) is None
    assert faults.seen == [f"GET /{bucket}/models/iris/aliases/production.json"]


def test_a_bucket_that_does_not_exist_is_named(s3: str) -> None:
    with pytest.raises(NotFoundError, match=r"s3://no-such-bucket/iris/aliases/production.json: there is no bucket"):
        open_store("s3://no-such-bucket").read_alias("iris", "production")
    with pytest.raises(NotFoundError, match="there is no bucket 'no-such-bucket'"):
        open_store("s3://no-such-bucket").create_version(*make_bundle())
    with pytest.raises(NotFoundError, match="there is no bucket 'no-such-bucket'"):
        open_store("s3://no-such-bucket").list_models()


def test_missing_credentials_are_said_to_be_missing(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreError, match="no AWS credentials were found: set AWS_PROFILE, or"):
        open_store(f"s3://{bucket}").list_models()


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("AWS_PROFILE", "nobody", r"profile \(nobody\) could not be found"),
        ("AWS_ENDPOINT_URL", "nowhere", "Invalid endpoint: nowhere"),
    ],
)
def test_a_wrong_environment_is_one_line(
    s3: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(StoreError, match=complaint) as raised:
        open_store("s3://models").list_models()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("fault", "kind", "complaint"),
    [
        ((403, "AccessDenied"), StoreError, "access is denied to GetObject; S3 also says so of an object that does"),
        ((403, "InvalidAccessKeyId"), StoreError, r"the AWS credentials were refused \(InvalidAccessKeyId\)"),
        ((400, "ExpiredToken"), StoreError, r"the AWS credentials were refused \(ExpiredToken\)"),
        ((400, "IllegalLocationConstraintException"), StoreError, "the bucket is in another region: set AWS_REGION"),
        ((400, "InvalidRequest"), StoreError, "InvalidRequest"),
        ((503, "SlowDown"), UnavailableError, "S3 answered 503 SlowDown"),
        ((500, "InternalError"), UnavailableError, "S3 answered 500 InternalError"),
        ((429, "Throttling"), UnavailableError, "S3 answered 429 Throttling"),
        ("cut", UnavailableError, "[0-9]+ read, but total bytes expected is"),
        ("lose", UnavailableError, "Connection was closed"),
    ],
)
def test_a_refusal_names_bucket_and_key_and_what_may_pass_is_told_from_what_stays(
    store: Store, faults: Relay, bucket: str, fault: Fault, kind: type[StoreError], complaint: str
) -> None:
    store.create_version(*make_bundle())
    faults.plan = lambda *_: fault
    with pytest.raises(StoreError, match=complaint) as raised:
        store.read_manifest("iris", "1")
    assert type(raised.value) is kind
    assert str(raised.value).startswith(f"s3://{bucket}/models/iris/versions/1/manifest.json: ")
    assert "\n" not in str(raised.value)


def test_a_server_that_hangs_may_come_back(
    store: Store, faults: Relay, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.stores.s3._CONFIG", Config(read_timeout=0.3, retries={"total_max_attempts": 1}))
    faults.plan = lambda *_: "hang"
    where = f"s3://{bucket}/models/iris/versions/1/manifest.json: "
    with pytest.raises(UnavailableError, match=f"^{where}Read timeout on endpoint URL.*$"):
        open_store(store.uri).read_manifest("iris", "1")


def test_a_server_that_is_not_there_may_come_back(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.stores.s3._CONFIG", Config(retries={"total_max_attempts": 1}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="Could not connect to the endpoint URL"):
        open_store("s3://models").read_manifest("iris", "1")


def test_a_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    store: Store, faults: Relay, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.stores.s3._CONFIG", Config(retries={"total_max_attempts": 2}))
    store = open_store(store.uri)
    met: set[str] = set()

    def lose_each_first_write(method: str, path: str) -> Fault:
        if method != "PUT" or path in met:
            return None
        met.add(path)
        return "lose"

    faults.plan = lose_each_first_write
    manifest, files = make_bundle()
    store.create_version(manifest, files)
    alias = Alias(version="1", manifest_sha256=sha256(manifest.encode()), promoted_at=datetime.now(UTC).isoformat())
    store.move_alias("iris", "production", alias, expected_tag=None)
    pointer = store.read_alias("iris", "production")
    met.clear()
    store.move_alias("iris", "production", alias.model_copy(update={"version": "2"}), expected_tag=pointer.tag)
    pointer = store.read_alias("iris", "production")
    assert pointer.alias.version == "2"


def test_a_write_that_meets_another_one_under_way_is_sent_again(store: Store, faults: Relay) -> None:
    refused = iter([(409, "ConditionalRequestConflict")] * 2)
    faults.plan = lambda method, _: next(refused, None) if method == "PUT" else None
    assert store.create_version(*make_bundle()) is True


def test_a_write_that_always_meets_another_one_gives_up(
    faults: Relay, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.stores.s3._CONFLICT_ATTEMPTS", 2)
    faults.plan = lambda *_: (409, "ConditionalRequestConflict")
    with pytest.raises(UnavailableError, match="is being written by others all the time"):
        S3Objects(parse_store(f"s3://{bucket}")).create("k", b"")


def test_a_server_that_withholds_an_alias_nobody_holds_is_at_fault(store: Store, faults: Relay) -> None:
    faults.plan = lambda *_: (304, "NotModified")
    with pytest.raises(StoreError, match="did not send the alias 'production' of iris"):
        store.read_alias("iris", "production")
