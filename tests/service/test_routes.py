from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import Rows
from service.codec import Decoder, Request
from service.errors import Problem, RowsError
from service.loader import Rejection, Status
from service.routes import INLINE_BYTES
from tests.service.codec.signatures import JSON
from tests.service.manifests import HOUSE_GOLDEN, manifest
from tests.serving import ROW, FakeLoader, FakeModel, Reply, make_service

PREDICT: dict[str, Any] = {"instances": [ROW]}


def test_live_answers_whatever_the_model_is() -> None:
    for status in (Status(FakeModel(), None, None), Status(None, "failed", "broken")):
        reply = make_service(loader=FakeLoader(status)).ask("GET", "/live")
        assert (reply.status, reply.json()) == (200, {"status": "live"})


@pytest.mark.parametrize("path", ["/ready", "/health"])
def test_ready_names_the_model(path: str) -> None:
    reply = make_service().ask("GET", path)
    assert reply.status == 200
    assert reply.json() == {"status": "ready", "model": {"name": "house", "version": "7"}}


@pytest.mark.parametrize("path", ["/ready", "/health"])
@pytest.mark.parametrize("reason", ["loading", "failed"])
def test_not_ready_says_why(path: str, reason: Any) -> None:
    service = make_service(loader=FakeLoader(Status(None, reason, "golden answers differ")))
    reply = service.ask("GET", path)
    assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
    assert (reply.json()["reason"], reply.json()["detail"]) == (reason, "golden answers differ")
    assert reply.headers["retry-after"]


def test_draining_fails_readiness_while_predictions_are_served() -> None:
    service = make_service()
    service.drain.begin()
    assert (service.ask("GET", "/ready").status, service.ask("GET", "/ready").json()["reason"]) == (503, "draining")
    assert service.ask("GET", "/live").status == 200
    assert service.ask("POST", "/predict", PREDICT).status == 200


def test_a_rejected_version_is_told_while_the_working_one_serves() -> None:
    status = Status(FakeModel(), None, None, Rejection("8", "golden answers differ"))
    reply = make_service(loader=FakeLoader(status)).ask("GET", "/ready")
    assert reply.status == 200
    assert reply.json()["rejected"] == {"version": "8", "detail": "golden answers differ"}


def test_predictions_come_with_what_was_asked_for() -> None:
    reply = make_service().ask(
        "POST", "/predict", {"instances": [ROW, [4, *ROW[1:]]], "probabilities": True, "decision_values": True}
    )
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.json() == {
        "predictions": ["7:3", "7:4"],
        "probabilities": [[0.5, 0.5], [0.5, 0.5]],
        "decision_values": [3.0, 4.0],
        "classes": ["cheap", "dear"],
        "model": {"name": "house", "version": "7"},
    }


def test_the_form_of_version_0_2_is_answered_as_then() -> None:
    assert make_service().ask("POST", "/predict", {"features": ROW}).json() == {"prediction": "7:3"}


def test_an_answer_is_of_the_version_that_it_names_though_another_takes_its_place() -> None:
    service = make_service()
    old = service.loader.current
    assert isinstance(old, FakeModel)

    def swap(_: Rows) -> None:
        service.loader.now = Status(FakeModel(manifest(version="8")), None, None)

    old.before = swap
    for version in ("7", "8"):
        reply = service.ask("POST", "/predict", PREDICT)
        assert reply.headers["x-model-version"] == reply.json()["model"]["version"] == version
        assert reply.json()["predictions"] == [f"{version}:3"]


def test_rows_are_decoded_by_the_signature_of_the_model_that_answers() -> None:
    service = make_service()
    assert service.ask("POST", "/predict", PREDICT).status == 200
    signature = manifest().signature
    fewer = signature.model_copy(update={"features": signature.features[:1]})
    service.loader.now = Status(FakeModel(manifest(signature=fewer)), None, None)
    assert service.ask("POST", "/predict", PREDICT).status == 422
    assert service.ask("POST", "/predict", {"instances": [[3]]}).status == 200


def test_without_a_model_predictions_and_the_card_are_503() -> None:
    service = make_service(loader=FakeLoader(Status(None, "loading", "fetching house 7")))
    for method, path in (("POST", "/predict"), ("GET", "/model")):
        reply = service.ask(method, path, PREDICT)
        assert (reply.status, reply.json()["reason"]) == (503, "loading")


def test_a_row_that_the_estimator_itself_refuses_is_the_clients_mistake() -> None:
    service = make_service()
    model = service.loader.current
    assert isinstance(model, FakeModel)

    def refuse(_: Rows) -> None:
        raise RowsError([Problem("instances[0].rooms", "the estimator takes no 3")])

    model.before = refuse
    reply = service.ask("POST", "/predict", PREDICT)
    assert (reply.status, reply.json()["errors"][0]["location"]) == (422, "instances[0].rooms")


def test_the_card_holds_the_manifest_but_not_its_files() -> None:
    card = make_service().ask("GET", "/model").json()
    assert (card["name"], card["version"], card["task"]) == ("house", "7", "classification")
    assert card["signature"]["features"][0]["name"] == "rooms"
    assert card["parity"]["label_agreement"] == 1
    assert card["metrics"] == {"accuracy": 0.9}
    assert not {"files", "golden"} & set(card)


def test_metrics_are_prometheus_text() -> None:
    service = make_service()
    service.ask("POST", "/predict", PREDICT)
    reply = service.ask("GET", "/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'alphard_requests_total{route="/predict",status="200"} 1' in reply.body.decode()


@pytest.mark.parametrize(
    "declared",
    [
        None,
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; profile=x",
        "application/vnd.house+json",
    ],
)
def test_json_is_taken_under_its_names_and_under_none(declared: str | None) -> None:
    headers = {} if declared is None else {"Content-Type": declared}
    assert make_service().ask("POST", "/predict", PREDICT, headers).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "json"},
        {"Content-Type": "+json"},
        {"Content-Type": "application/jsonlines"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity, gzip"},
    ],
)
def test_another_media_type_or_encoding_is_415(headers: dict[str, str]) -> None:
    reply = make_service().ask("POST", "/predict", PREDICT, headers)
    assert (reply.status, reply.json()["type"]) == (415, "urn:alphard:problem:media-type")
    assert reply.headers["accept-encoding"] == "identity"


def test_what_curl_says_by_itself_is_answered_with_what_to_say() -> None:
    reply = make_service().ask("POST", "/predict", PREDICT, {"Content-Type": "application/x-www-form-urlencoded"})
    assert "Content-Type that says so, not 'application/x-www-form-urlencoded'" in reply.json()["detail"]


def test_a_body_over_the_limit_is_413_by_its_declared_length() -> None:
    service = make_service(max_body_bytes=200)
    for length in ("201", "9" * 5000):
        assert service.ask("POST", "/predict", b"", {"Content-Length": length}).status == 413
    assert service.ask("POST", "/predict", PREDICT, {"Content-Length": "200"}).status == 200


def test_a_body_over_the_limit_is_413_as_soon_as_it_is() -> None:
    taken: list[int] = []

    async def receive() -> dict[str, Any]:
        taken.append(1)
        return {"type": "http.request", "body": b"[" * 4, "more_body": True}

    reply = asyncio.run(make_service(max_body_bytes=10).call(receive))
    assert reply is not None
    assert (reply.status, len(taken)) == (413, 3)


def test_a_body_in_pieces_is_one_body() -> None:
    pieces = [json.dumps(PREDICT).encode()[start : start + 7] for start in range(0, len(json.dumps(PREDICT)), 7)]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    reply = asyncio.run(make_service().call(receive))
    assert reply is not None
    assert reply.json()["predictions"] == ["7:3"]


def test_more_rows_than_allowed_are_413() -> None:
    service = make_service(max_rows=2)
    assert service.ask("POST", "/predict", {"instances": [ROW] * 2}).status == 200
    assert service.ask("POST", "/predict", {"instances": [ROW] * 3}).status == 413


def test_a_large_body_is_decoded_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    decode = Decoder.request

    def recorded(self: Decoder, body: bytes, *, max_rows: int) -> Request:
        threads.append(threading.current_thread())
        return decode(self, body, max_rows=max_rows)

    monkeypatch.setattr(Decoder, "request", recorded)
    service = make_service()
    body = json.dumps(PREDICT).encode()
    small = service.ask("POST", "/predict", body)
    large = service.ask("POST", "/predict", body + b" " * INLINE_BYTES)
    assert large.json() == small.json()
    assert [thread is threading.main_thread() for thread in threads] == [True, False]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("HEAD", "/predict", "POST"),
        ("OPTIONS", "/predict", "POST"),
        ("PUT", "/predict", "POST"),
        ("DELETE", "/predict", "POST"),
        ("POST", "/ready", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("BREW", "/model", "GET, HEAD"),
    ],
)
def test_another_method_is_405_and_told_which_are_allowed(method: str, path: str, allowed: str) -> None:
    reply = make_service().ask(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/predict/", "/Predict", "/v2", "/nothing", "/../ready"])
def test_another_path_is_a_problem_and_never_a_redirect(path: str) -> None:
    reply = make_service().ask("GET", path)
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")


def is_well_answered(reply: Reply) -> bool:
    problem = reply.headers["content-type"] == "application/problem+json"
    return reply.status in (200, 400, 413, 422) and problem == (reply.status != 200) and bool(reply.json())


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        JSON.map(lambda value: json.dumps(value).encode()),
        st.fixed_dictionaries(
            {}, optional=dict.fromkeys(["instances", "features", "probabilities", "decision_values", "x"], JSON)
        ).map(lambda value: json.dumps(value).encode()),
        st.lists(st.tuples(*[JSON] * 5).map(list), max_size=3).map(lambda v: json.dumps({"instances": v}).encode()),
    )
)
def test_no_body_whatsoever_makes_a_5xx(body: bytes) -> None:
    assert is_well_answered(make_service().ask("POST", "/predict", body))


def test_the_golden_rows_of_a_model_are_a_request() -> None:
    assert make_service().ask("POST", "/predict", {"instances": list(HOUSE_GOLDEN.instances)}).status == 200
