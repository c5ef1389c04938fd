"""What the tests share: their order, an S3 on loopback, and accounts with an environment deployed."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import boto3
import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from rehearsal.stand_in import s3_environment, s3_server
from tests.accounts import Accounts

# Before NumPy is imported: many small calls wait for each other's threads more than they compute. Before ONNX Runtime
# is: it reports to nobody.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ORT_DISABLE_TELEMETRY"):
    os.environ.setdefault(_variable, "1")


# The CDK runs on Node.js, and complains of the one that an older system brings.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


# How long an example takes says more of what else the machine is doing than of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_FIRST = ("tests/whole/", "tests/rehearsal/", "tests/stacks/")
_LAST = "tests/service/compile/"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what takes long, and ends with many short modules: no core waits for another's last one."""
    items.sort(key=lambda item: (item.nodeid.startswith(_LAST), not item.nodeid.startswith(_FIRST)))


@pytest.fixture(scope="session", autouse=True)
def apis() -> Iterator[None]:
    """AWS's descriptions of its APIs, read once for all tests: that takes longer than most of their calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a real HTTP server that answers as S3 does."""
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """That address, with the environment leading the AWS tools there."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    for key, value in s3_environment(s3_endpoint).items():
        monkeypatch.setenv(key, value)
    return s3_endpoint


@pytest.fixture
def bucket(s3: str) -> str:
    """The name of a new, empty bucket."""
    name = f"models-{uuid.uuid4().hex[:12]}"
    boto3.session.Session().client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["file", "s3"])
def store_uri(request: pytest.FixtureRequest) -> str:
    """Where an empty store is: in a folder, and in a bucket under a prefix."""
    if request.param == "file":
        return f"file://{request.getfixturevalue('tmp_path')}/store"
    return f"s3://{request.getfixturevalue('bucket')}/team/models"


@pytest.fixture(scope="session")
def accounts() -> Iterator[Accounts]:
    with ExitStack() as stack:
        yield Accounts(stack)
