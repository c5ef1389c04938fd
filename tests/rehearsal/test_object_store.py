"""The S3 of a scene, asked by the AWS tools: whom it lets, and that it can go away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from rehearsal.deployed import Statement
from rehearsal.errors import RehearsalError
from rehearsal.object_store import ObjectStore
from rehearsal.stand_in import ADMINISTRATOR

READS = Statement(("s3:GetObject",), ("arn:aws:s3:::models/house/*",))
LISTS = Statement(("s3:ListBucket",), ("arn:aws:s3:::models",))
KEY = "house/aliases/production.json"


def client(store: ObjectStore, access_key: str = ADMINISTRATOR) -> Any:
    variables = store.environment(access_key)
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    """The code with which S3 refuses."""
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return str(raised.value.response["Error"]["Code"])


class Running:
    """A store beside a test, on an event loop that turns whenever the test asks something of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, store: ObjectStore) -> None:
        self._loop = loop
        self.store = store

    def __call__(self, what: Awaitable[None]) -> None:
        self._loop.run_until_complete(asyncio.ensure_future(what, loop=self._loop))


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with asyncio.Runner() as runner:
        loop, store = runner.get_loop(), ObjectStore()
        runner.run(store.__aenter__())
        running = Running(loop, store)
        running(store.fill("models", {KEY: b"1", "boat/secret": b"2"}))
        yield running
        runner.run(store.__aexit__(None, None, None))


def test_a_role_reads_what_it_may_and_nothing_else(running: Running) -> None:
    running(running.store.allow("TASK", [READS]))
    s3 = client(running.store, "TASK")
    assert s3.get_object(Bucket="models", Key=KEY)["Body"].read() == b"1"
    assert s3.head_object(Bucket="models", Key=KEY)["ContentLength"] == 1
    assert refused(s3.get_object, Bucket="models", Key="boat/secret") == "AccessDenied"
    assert refused(s3.put_object, Bucket="models", Key=KEY, Body=b"3") == "AccessDenied"
    assert refused(s3.list_objects_v2, Bucket="models") == "AccessDenied"
    assert refused(s3.head_object, Bucket="models", Key="boat/secret") == "403"


def test_that_an_object_is_missing_is_told_to_those_who_may_list(running: Running) -> None:
    running(running.store.allow("TASK", [READS]))
    s3 = client(running.store, "TASK")
    assert refused(s3.get_object, Bucket="models", Key="house/missing") == "AccessDenied"
    running(running.store.allow("TASK", [READS, LISTS]))
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="models", Key="house/missing")


def test_a_role_can_be_taken_away(running: Running) -> None:
    running(running.store.allow("TASK", [READS]))
    running(running.store.allow("TASK", []))
    assert refused(client(running.store, "TASK").get_object, Bucket="models", Key=KEY) == "AccessDenied"


def test_who_has_no_role_is_nobody(running: Running) -> None:
    assert refused(client(running.store, "NOBODY").get_object, Bucket="models", Key=KEY) == "InvalidAccessKeyId"


def test_a_conditional_write_is_the_stores(running: Running) -> None:
    s3 = client(running.store)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="models", Key=KEY, Body=b"3", IfNoneMatch="*")


def test_objects_are_replaced_as_an_administrator_may(running: Running) -> None:
    running(running.store.fill("models", {"house/new": b"1"}))
    running(running.store.fill("models", {"house/new": b"2"}))
    assert client(running.store).get_object(Bucket="models", Key="house/new")["Body"].read() == b"2"


def test_a_refused_request_leaves_nothing_on_its_connection(running: Running) -> None:
    running(running.store.allow("TASK", [READS]))
    s3 = client(running.store, "TASK")
    for _ in range(2):
        assert refused(s3.put_object, Bucket="models", Key=KEY, Body=b"another body") == "AccessDenied"
    assert s3.get_object(Bucket="models", Key=KEY)["Body"].read() == b"1"


def test_it_goes_away_and_comes_back_with_what_it_held(running: Running) -> None:
    s3, endpoint = client(running.store), running.store.endpoint
    assert s3.get_object(Bucket="models", Key=KEY)["Body"].read() == b"1"
    running(running.store.stop())
    with pytest.raises((ConnectionClosedError, EndpointConnectionError)):  # on a connection that it had, or a new one
        s3.get_object(Bucket="models", Key=KEY)
    running(running.store.start())
    assert running.store.endpoint == endpoint
    assert s3.get_object(Bucket="models", Key=KEY)["Body"].read() == b"1"


def test_without_its_process_it_says_so() -> None:
    with pytest.raises(RehearsalError, match="not running"):
        asyncio.run(ObjectStore().stop())
