"""Objects in an S3 bucket, or in anything that speaks its protocol with conditional writes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
)
from botocore.response import StreamingBody
from urllib3.exceptions import HTTPError

from service.errors import ConflictError, NotFoundError, StoreError, UnavailableError
from service.stores.objects import Tagged
from service.stores.uri import StoreUri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The time-outs bound one wait on the socket; whoever has a deadline for the whole keeps it itself.
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
_CONFLICT_ATTEMPTS = 5
_PIECE_BYTES = 1024 * 1024

_BAD_CREDENTIALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
_WRONG_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_PASSING = {"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "Throttling", "ThrottlingException"}
_TRANSPORT = (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    FlexibleChecksumError,
    HTTPClientError,
    HTTPError,
    IncompleteReadError,
    ProxyConnectionError,
    SSLError,
)


class S3Objects:
    """``Objects`` in a bucket under a prefix. Region, endpoint and credentials are found as the AWS tools find them.

    Writes are conditional by ``If-None-Match: *`` and ``If-Match``, reads of an alias by ``If-None-Match``:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
    """

    def __init__(self, place: StoreUri) -> None:
        self.uri = str(place)
        self._bucket = place.bucket
        self._prefix = "".join(f"{part}/" for part in place.parts)
        with self._named(""):
            self._client: S3Client = boto3.session.Session().client("s3", config=_CONFIG)

    def read(self, key: str, limit: int) -> bytes:
        with self._named(key):
            response = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            return _receive(response["Body"], limit)

    def read_tagged(self, key: str, limit: int, unless_tag: str | None) -> Tagged | None:
        with self._named(key):
            try:
                # No object has this tag: without one the object is sent whatever it is.
                response = self._client.get_object(
                    Bucket=self._bucket, Key=self._prefix + key, IfNoneMatch=unless_tag or '"none"'
                )
            except ClientError as error:
                if _status(error) == 304:
                    return None
                raise
            return Tagged(_receive(response["Body"], limit), response["ETag"])

    def create(self, key: str, data: bytes) -> None:
        self._put(key, data, None)

    def replace(self, key: str, data: bytes, tag: str) -> None:
        self._put(key, data, tag)

    def list_folders(self, prefix: str) -> list[str]:
        start = self._prefix + prefix
        with self._named(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=start, Delimiter="/"
            )
            return [
                folder["Prefix"].removeprefix(start).removesuffix("/")
                for page in pages
                for folder in page.get("CommonPrefixes", ())
            ]

    def list_keys(self, prefix: str) -> list[str]:
        with self._named(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            return [item["Key"].removeprefix(self._prefix) for page in pages for item in page.get("Contents", ())]

    def _put(self, key: str, data: bytes, tag: str | None) -> None:
        for attempt in range(_CONFLICT_ATTEMPTS):
            with self._named(key):
                try:
                    if tag is None:
                        self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfNoneMatch="*")
                    else:
                        self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfMatch=tag)
                    return
                except ClientError as error:
                    if _status(error) == 412:
                        raise ConflictError(
                            f"{self.uri}/{key} " + ("exists" if tag is None else "has changed")
                        ) from error
                    if _status(error) != 409:
                        raise
            # 409: another conditional write to this key is under way, and which of them wins is open.
            time.sleep(random.uniform(0.05, 0.2) * 2**attempt)  # noqa: S311  # spreads the writers, guards nothing
        raise UnavailableError(f"{self.uri}/{key} is being written by others all the time")

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        """Errors of the client as the store's own, with the object that they concern."""
        where = f"{self.uri}/{key}"
        try:
            yield
        except ClientError as error:
            raise _refusal(where, self._bucket, error) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise StoreError(
                f"{where}: no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or give the task a role"
            ) from error
        except _TRANSPORT as error:
            raise UnavailableError(f"{where}: {_line(error)}") from error
        except (BotoCoreError, ValueError) as error:  # a wrong profile or endpoint in the environment
            raise StoreError(f"{where}: {_line(error)}") from error


def _receive(body: StreamingBody, limit: int) -> bytes:
    """The first ``limit`` bytes. The client notices an answer that was cut short only when it is read to its end."""
    pieces, size = [], 0
    with closing(body):
        while size < limit and (piece := body.read(min(limit - size, _PIECE_BYTES))):
            pieces.append(piece)
            size += len(piece)
    return b"".join(pieces)


def _refusal(where: str, bucket: str, error: ClientError) -> StoreError:
    """What the answer of S3 means. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    code, status = error.response["Error"].get("Code", ""), _status(error)
    if code == "NoSuchBucket":
        return NotFoundError(f"{where}: there is no bucket {bucket!r}")
    if code in ("NoSuchKey", "404"):
        return NotFoundError(f"{where} does not exist")
    if code in _BAD_CREDENTIALS:
        return StoreError(f"{where}: the AWS credentials were refused ({code})")
    if code in _WRONG_REGION:
        region = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region", "another region")
        return StoreError(f"{where}: the bucket is in {region}: set AWS_REGION ({code})")
    if code in ("AccessDenied", "403"):
        return StoreError(
            f"{where}: access is denied to {error.operation_name}; S3 also says so of an object that does not exist "
            "where s3:ListBucket is not allowed"
        )
    if code in _PASSING or status >= 500:
        return UnavailableError(f"{where}: S3 answered {status} {code}")
    return StoreError(f"{where}: {_line(error)}")


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
