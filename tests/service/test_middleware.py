from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Scope

from service.app import create_app
from service.errors import EngineError, TooLargeError
from service.loader import Status
from service.telemetry.logs import Output, configure_logging
from tests.serving import ROW, FakeModel, Service, make_service

PREDICT: dict[str, Any] = {"instances": [ROW]}


@pytest.fixture
def service() -> Iterator[Service]:
    """A service whose events are written beside its requests."""
    made = make_service()
    root, ours = logging.getLogger(), logging.getLogger("alphard")
    before = root.handlers[:], root.level, ours.level
    configure_logging("INFO", "json", made.lines)
    yield made
    logging.captureWarnings(False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def model_of(service: Service) -> FakeModel:
    assert isinstance(service.loader.current, FakeModel)
    return service.loader.current


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}, "1-67891233-abcdef012345678912345678"),
        ({"X-Amzn-Trace-Id": "Self=1-1-a;Root=1-2-b;Sampled=1"}, "1-2-b"),
        ({"X-Amzn-Trace-Id": "Self=1-1-a"}, "1-1-a"),
        ({"X-Amzn-Trace-Id": "Root=1-2-b", "X-Request-Id": "mine"}, "1-2-b"),
        ({"X-Amzn-Trace-Id": "Sampled=1", "X-Request-Id": "mine"}, "mine"),
        ({"X-Request-Id": "a" * 128}, "a" * 128),
    ],
)
def test_the_request_id_is_the_trace_or_the_clients_own(headers: dict[str, str], expected: str) -> None:
    assert make_service().ask("GET", "/live", headers=headers).headers["x-request-id"] == expected


@pytest.mark.parametrize("given", ["a" * 129, "", "two words", "né", "x\x7f", '"quoted"', "Root="])
def test_an_unsafe_request_id_is_replaced(given: str) -> None:
    service = make_service()
    for name in ("X-Request-Id", "X-Amzn-Trace-Id"):
        answered = service.ask("GET", "/live", headers={name: given}).headers["x-request-id"]
        assert len(answered) == 32 or answered == given == "Root="
        assert answered.isalnum() or answered == "Root="


def test_every_answer_names_its_request_and_the_model() -> None:
    service = make_service()
    for path in ("/live", "/ready", "/nothing", "/predict", "/openapi.json"):
        headers = service.ask("GET", path).headers
        assert headers["x-request-id"]
        assert headers["x-model-version"] == "7"
    service.loader.now = Status(None, "loading", "fetching")
    assert "x-model-version" not in service.ask("GET", "/live").headers


def test_a_request_writes_one_line(service: Service) -> None:
    body = json.dumps(PREDICT).encode()
    reply = service.ask("POST", "/predict", body, {"X-Request-Id": "r-1", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    (line,) = service.lines.objects()
    assert line.pop("duration_ms") >= 0
    assert {key: line[key] for key in ("level", "service", "event", "message")} == {
        "level": "INFO",
        "service": "alphard",
        "event": "request",
        "message": "request",
    }
    assert {key: line[key] for key in list(line)[6:]} == {
        "request_id": "r-1",
        "method": "POST",
        "path": "/predict",
        "status": 200,
        "bytes_in": len(body),
        "bytes_out": len(reply.body),
        "rows": 1,
        "model_version": "7",
        "client": "203.0.113.9",
    }


def test_without_a_usable_forwarded_address_the_client_is_the_peer(service: Service) -> None:
    service.ask("GET", "/nothing", headers={"X-Forwarded-For": "6.6.6.6, <script>"})
    service.ask("GET", "/nothing")
    assert [line["client"] for line in service.lines.objects()] == ["10.1.2.3", "10.1.2.3"]


def test_probes_that_succeed_are_lines_for_debugging_only(service: Service) -> None:
    for path in ("/live", "/ready", "/health"):
        service.ask("GET", path)
    assert service.lines.objects() == []
    service.loader.now = Status(None, "failed", "golden answers differ")
    service.ask("GET", "/ready")
    assert [(line["path"], line["status"], line["level"]) for line in service.lines.objects()] == [
        ("/ready", 503, "WARNING")
    ]


def test_a_long_path_is_cut_and_the_query_is_left_out(service: Service) -> None:
    service.ask("GET", "/" + "x" * 5000)
    (line,) = service.lines.objects()
    assert len(line["path"]) == 256


@pytest.mark.parametrize(
    "error", [EngineError("secret-value in row 3"), ValueError("secret-value"), TimeoutError("secret-value")]
)
def test_a_failure_is_a_500_and_a_traceback_without_the_clients_values(service: Service, error: Exception) -> None:
    def fail(_: Any) -> None:
        raise error

    model_of(service).before = fail
    reply = service.ask("POST", "/predict", {"instances": [[3, None, True, "secret-value", "new"]]})
    assert reply.status == 500
    assert reply.json()["type"] == "urn:alphard:problem:failed"
    event, access = service.lines.objects()
    assert (event["event"], event["level"], event["exception_name"]) == (
        "request_failed",
        "ERROR",
        type(error).__name__,
    )
    assert "in fail" in event["exception"]
    assert (access["status"], access["level"]) == (500, "ERROR")
    assert event["request_id"] == access["request_id"] == reply.headers["x-request-id"]
    assert b"secret" not in reply.body
    assert "secret" not in service.lines.getvalue()


def test_wrong_values_are_quoted_to_the_client_and_never_logged(service: Service) -> None:
    reply = service.ask("POST", "/predict", {"instances": [["secret-value", None, True, None, "new"]], "secret-key": 1})
    assert reply.status == 422
    assert b"secret-value" in reply.body
    assert "secret" not in service.lines.getvalue()


def test_concurrent_requests_never_mix(service: Service) -> None:
    async def wait(_: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        logging.getLogger("alphard.model").warning("inside")

    model_of(service).before = wait

    async def one(rooms: int) -> None:
        reply = await service.ask_within(
            "POST", "/predict", {"instances": [[rooms, *ROW[1:]]]}, {"X-Request-Id": f"r-{rooms}"}
        )
        assert reply.headers["x-request-id"] == f"r-{rooms}"
        assert reply.json()["predictions"] == [f"7:{rooms}"]

    async def together() -> None:
        await asyncio.gather(*map(one, range(50)))

    asyncio.run(together())
    lines = service.lines.objects()
    for rooms in range(50):
        assert sorted(line["message"] for line in lines if line["request_id"] == f"r-{rooms}") == ["inside", "request"]


def test_an_answer_that_takes_too_long_is_a_503() -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    service = make_service(request_deadline_seconds=0.05)
    model_of(service).before = hang
    reply = service.ask("POST", "/predict", PREDICT)
    assert (reply.status, reply.json()["type"]) == (503, "urn:alphard:problem:late")
    assert reply.headers["retry-after"]


def test_a_body_that_comes_too_slowly_is_a_408_and_closes_the_connection() -> None:
    first = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> dict[str, Any]:
        if not first:
            await asyncio.Event().wait()
        return first.pop()

    reply = asyncio.run(make_service(request_deadline_seconds=0.05).call(receive))
    assert reply is not None
    assert (reply.status, reply.headers["connection"]) == (408, "close")


def test_a_client_that_goes_is_no_error(service: Service) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert asyncio.run(service.call(receive)) is None
    (line,) = service.lines.objects()
    assert (line["status"], line["level"]) == (499, "INFO")


def test_a_request_that_the_server_gives_up_is_told_so() -> None:
    service = make_service()
    started = asyncio.Event()

    async def hang(_: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    model_of(service).before = hang

    async def give_up() -> Any:
        task = asyncio.create_task(service.ask_within("POST", "/predict", PREDICT))
        await started.wait()
        task.cancel()
        return await task

    reply = asyncio.run(give_up())
    assert (reply.status, reply.json()["type"]) == (503, "urn:alphard:problem:stopped")
    assert reply.headers["connection"] == "close"


def test_while_draining_every_answer_closes_its_connection() -> None:
    service = make_service()
    assert "connection" not in service.ask("GET", "/live").headers
    service.drain.begin()
    for method, path, status in (("GET", "/live", 200), ("GET", "/nothing", 404), ("POST", "/predict", 200)):
        reply = service.ask(method, path, PREDICT)
        assert (reply.status, reply.headers["connection"]) == (status, "close")


def test_requests_are_counted_by_route_and_status() -> None:
    service = make_service()
    service.ask("POST", "/predict", {"instances": [ROW, ROW]})
    service.ask("POST", "/predict", {"instances": []})
    service.ask("GET", "/a-path-that-a-client-made-up")
    text = service.metrics.prometheus()
    assert 'alphard_requests_total{route="/predict",status="200"} 1' in text
    assert 'alphard_requests_total{route="/predict",status="422"} 1' in text
    assert 'alphard_requests_total{route="other",status="404"} 1' in text
    assert 'alphard_request_seconds_count{route="/predict"} 2' in text
    assert "alphard_rows_total 2" in text


def test_an_answer_is_checked_while_it_can_still_be_another(service: Service) -> None:
    seen: list[tuple[str, bytes]] = []

    def check(scope: Scope, body: bytes) -> None:
        seen.append((scope["path"], body))
        if scope["path"] == "/predict":
            raise TooLargeError("send fewer rows")

    app = create_app(
        service.settings, service.loader, service.metrics, output=Output("json", service.lines), check_answer=check
    )
    checked = service._replace(app=app)
    live, refused = checked.ask("GET", "/live"), checked.ask("POST", "/predict", PREDICT)
    assert live == service.ask("GET", "/live", headers={"x-request-id": live.headers["x-request-id"]})
    assert (refused.status, refused.json()["detail"]) == (413, "send fewer rows")
    assert "content-length" in refused.headers
    assert service.lines.objects()[-1]["status"] == 413
    assert seen[0] == ("/live", live.body)
    assert b'"predictions"' in seen[1][1]
