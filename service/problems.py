"""The one table from errors to HTTP: which status, and which problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from starlette.exceptions import HTTPException

from service.errors import (
    EngineError,
    MalformedError,
    MediaTypeError,
    NotReadyError,
    RequestError,
    RowsError,
    TooLargeError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
_NO_HEADERS: Mapping[str, str] = {}


class Kind(NamedTuple):
    """A kind of problem; its ``type`` is stable, a client may rely on it."""

    status: int
    name: str
    title: str
    headers: Mapping[str, str] = _NO_HEADERS

    @property
    def type(self) -> str:
        return f"urn:alphard:problem:{self.name}"


_RETRY = {"Retry-After": str(RETRY_AFTER_SECONDS)}
_CLOSE = {"Connection": "close"}

MALFORMED = Kind(400, "malformed", "The body is not the JSON that was expected")
NOT_FOUND = Kind(404, "not-found", "There is nothing here")
METHOD = Kind(405, "method-not-allowed", "This method is not allowed here")
SLOW = Kind(408, "slow-request", "The request did not arrive in time", _CLOSE)
TOO_LARGE = Kind(413, "too-large", "The request is too large")
MEDIA = Kind(415, "media-type", "The body is not declared as JSON", {"Accept-Encoding": "identity"})
WRONG_ROWS = Kind(422, "wrong-values", "Some values cannot be accepted")
FAILED = Kind(500, "failed", "The service failed")
NOT_READY = Kind(503, "not-ready", "The service is not ready", _RETRY)
LATE = Kind(503, "late", "The answer was not ready in time", _RETRY)
STOPPED = Kind(503, "stopped", "The service stopped before the answer was ready", {**_RETRY, **_CLOSE})

KINDS = (MALFORMED, NOT_FOUND, METHOD, SLOW, TOO_LARGE, MEDIA, WRONG_ROWS, FAILED, NOT_READY, LATE, STOPPED)
_BY_ERROR: dict[type[Exception], Kind] = {
    MalformedError: MALFORMED,
    MediaTypeError: MEDIA,
    TooLargeError: TOO_LARGE,
    RowsError: WRONG_ROWS,
    RequestError: MALFORMED,
    NotReadyError: NOT_READY,
    EngineError: FAILED,
}
_FAILED_DETAIL = "The failure was not caused by the request; it is logged under the request id."


class ProblemDocument(NamedTuple):
    """A problem that happened: its kind, and what this one is about."""

    kind: Kind
    detail: str
    members: Mapping[str, Any] = _NO_HEADERS
    headers: Mapping[str, str] = _NO_HEADERS

    def encode(self, request_id: str) -> bytes:
        return orjson.dumps(
            {
                "type": self.kind.type,
                "title": self.kind.title,
                "status": self.kind.status,
                "detail": self.detail,
                "request_id": request_id,
                **self.members,
            }
        )

    def all_headers(self) -> dict[str, str]:
        return {"Content-Type": MEDIA_TYPE, **self.kind.headers, **self.headers}


def problem_of(error: Exception) -> ProblemDocument:
    """The document for an error. One that is not in the table is a failure of ours, of which nothing is told."""
    if isinstance(error, HTTPException):
        return _of_http(error)
    kind = next((_BY_ERROR[cls] for cls in type(error).__mro__ if cls in _BY_ERROR), FAILED)
    if kind is FAILED:
        return ProblemDocument(FAILED, _FAILED_DETAIL)
    if isinstance(error, RowsError):
        return _of_rows(error)
    if isinstance(error, NotReadyError):
        return ProblemDocument(kind, str(error), {"reason": error.reason})
    return ProblemDocument(kind, str(error))


def _of_rows(error: RowsError) -> ProblemDocument:
    first, *others = error.problems
    rest = f" (and {'at least ' if error.more else ''}{len(others) + error.more} more)" if others else ""
    members: dict[str, Any] = {"errors": [problem._asdict() for problem in error.problems]}
    if error.more:
        members["more"] = True
    return ProblemDocument(WRONG_ROWS, f"{first}{rest}", members)


def _of_http(error: HTTPException) -> ProblemDocument:
    """What the router raises: no such path, or not this method."""
    headers = dict(error.headers or {})
    if allowed := headers.get("Allow"):
        headers["Allow"] = ", ".join(sorted(allowed.split(", ")))
        return ProblemDocument(METHOD, f"Allowed are {headers['Allow']}.", headers=headers)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return ProblemDocument(NOT_FOUND, "Paths are listed in /openapi.json.")
    title = HTTPStatus(error.status_code).phrase
    return ProblemDocument(Kind(error.status_code, "http", title), title, headers=headers)
