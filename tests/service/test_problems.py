from __future__ import annotations

import inspect
import json

import pytest
from starlette.exceptions import HTTPException

from service import errors
from service.errors import (
    AlphardError,
    EngineError,
    MalformedError,
    MediaTypeError,
    NotReadyError,
    Problem,
    RequestError,
    RowsError,
    TooLargeError,
)
from service.problems import KINDS, problem_of


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (MalformedError("not JSON"), 400, "malformed"),
        (RequestError("no"), 400, "malformed"),
        (TooLargeError("9 rows"), 413, "too-large"),
        (MediaTypeError("send JSON"), 415, "media-type"),
        (RowsError([Problem("instances[0]", "wrong")]), 422, "wrong-values"),
        (NotReadyError("loading", "fetching"), 503, "not-ready"),
        (EngineError("secret"), 500, "failed"),
        (ValueError("secret"), 500, "failed"),
        (KeyError("secret"), 500, "failed"),
        (HTTPException(404), 404, "not-found"),
        (HTTPException(405, headers={"Allow": "POST"}), 405, "method-not-allowed"),
        (HTTPException(418), 418, "http"),
    ],
)
def test_every_error_has_its_status_and_its_type(error: Exception, status: int, kind: str) -> None:
    problem = problem_of(error)
    document = json.loads(problem.encode("r-1"))
    assert problem.kind.status == document["status"] == status
    assert document["type"] == f"urn:alphard:problem:{kind}"
    assert document["request_id"] == "r-1"
    assert document["title"]
    assert problem.all_headers()["Content-Type"] == "application/problem+json"


def test_every_error_of_a_request_is_in_the_table() -> None:
    tree = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, RequestError)]
    for cls in tree:
        error = cls([Problem("x", "y")]) if cls is RowsError else cls("text")
        assert 400 <= problem_of(error).kind.status < 500


def test_types_and_their_statuses_are_told_apart() -> None:
    assert len({kind.type for kind in KINDS}) == len(KINDS)


def test_what_failed_inside_is_never_told() -> None:
    for error in (EngineError("secret"), ValueError("secret"), AlphardError("secret")):
        assert b"secret" not in problem_of(error).encode("r-1")


def test_a_problem_with_rows_lists_them_all() -> None:
    found = [Problem("instances[0].a", "expected a number, got null"), Problem("instances[1].b", "missing")]
    document = json.loads(problem_of(RowsError(found)).encode("r-1"))
    assert document["errors"] == [
        {"location": "instances[0].a", "detail": "expected a number, got null"},
        {"location": "instances[1].b", "detail": "missing"},
    ]
    assert document["detail"] == "instances[0].a: expected a number, got null (and 1 more)"
    assert "more" not in document


def test_a_problem_with_more_rows_than_are_listed_says_so() -> None:
    document = json.loads(problem_of(RowsError([Problem("a", "b")] * 2, more=True)).encode("r-1"))
    assert document["more"] is True
    assert document["detail"] == "a: b (and at least 2 more)"


def test_not_being_ready_says_why_and_when_to_come_back() -> None:
    problem = problem_of(NotReadyError("failed", "golden answers differ"))
    document = json.loads(problem.encode("r-1"))
    assert (document["reason"], document["detail"]) == ("failed", "golden answers differ")
    assert int(problem.all_headers()["Retry-After"]) > 0


def test_allowed_methods_come_in_a_fixed_order() -> None:
    problem = problem_of(HTTPException(405, headers={"Allow": "POST, GET, HEAD"}))
    assert problem.all_headers()["Allow"] == "GET, HEAD, POST"
