from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from mangum.types import LambdaContext

from service.bundle import Alias, Manifest, sha256
from service.errors import AlphardError, NotFoundError, TooLargeError
from service.lambda_handler import ALB_ANSWER_BYTES, Handler, check_answer
from service.loader import Loader
from service.model import Model, build_model
from service.settings import Settings
from service.stores import Store, open_store
from service.telemetry import Metrics
from service.telemetry.logs import Output
from tests.service.faults import Fault, relay
from tests.service.lambda_runtime import TRACE_ID, Environment, balancer_event, environment, reply_of, url_event
from tests.service.published import published, put
from tests.serving import Reply, ask, until
from tests.whole.test_endpoint import Endpoint, served

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]
JSON = {"content-type": "application/json"}


def point(store: Store, version: str) -> None:
    """Moves the alias as promotion does, without looking at the version."""
    found = sha256(store.read_manifest("iris", version))
    alias = Alias(version=version, manifest_sha256=found, promoted_at=datetime.now(UTC).isoformat())
    try:
        tag = store.read_alias("iris", "production").tag
    except NotFoundError:
        tag = None
    store.move_alias("iris", "production", alias, expected_tag=tag)


def put_liar(store: Store, version: str) -> None:
    """Writes a version whose golden answers its own artifact does not give."""
    manifest, files = published("1")
    wrong = tuple((answer + 1) % 3 for answer in manifest.golden.predictions)
    changed = manifest.model_dump() | {
        "version": version,
        "golden": {**manifest.golden.model_dump(), "predictions": wrong},
    }
    store.create_version(Manifest(**changed), files)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(str(tmp_path / "store"))
    put(made, "1", "2")
    point(made, "1")
    return made


def uri(store: Store) -> str:
    return f"{store.uri}/iris@production"


class Both:
    """The same model in an execution environment of Lambda and behind Uvicorn."""

    def __init__(self, function: Environment, server: Endpoint) -> None:
        self.function = function
        self.server = server

    def ask_server(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        sent = {"x-amzn-trace-id": TRACE_ID, "x-forwarded-for": "203.0.113.9", **(headers or {})}
        return without_date(ask(self.server.port, method, path, body or None, sent))


def without_date(reply: Reply) -> Reply:
    """An HTTP server adds the date; behind a function, the balancer does."""
    return reply._replace(headers={key: value for key, value in reply.headers.items() if key != "date"})


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("both")
    made = open_store(str(folder / "store"))
    put(made, "1")
    point(made, "1")
    settings = {"ALPHARD_MAX_ROWS": "40000", "ALPHARD_LOG_LEVEL": "DEBUG"}
    with environment(uri(made), folder, settings) as function, served(uri(made), folder, **settings) as server:
        yield Both(function, server)


def body_of(**members: Any) -> bytes:
    return json.dumps(members).encode()


REQUESTS: dict[str, tuple[str, str, bytes, dict[str, str]]] = {
    "predict": ("POST", "/predict", body_of(instances=ROWS, probabilities=True), JSON),
    "predict as of 0.2": ("POST", "/predict", body_of(features=ROWS[0]), JSON),
    "a body in base64": ("POST", "/predict", body_of(instances=ROWS), {"content-type": "application/vnd.rows+json"}),
    "no content type": ("POST", "/predict", body_of(instances=ROWS), {}),
    "values that are refused": ("POST", "/predict", '{"instances": [["Zürich", 1, 2, null]]}'.encode(), JSON),
    "no JSON": ("POST", "/predict", b'{"instances": [[', JSON),
    "bytes that are no text": ("POST", "/predict", bytes(range(256)), {"content-type": "application/octet-stream"}),
    "bytes that are no UTF-8": ("POST", "/predict", b'{"instances": "\xff\xfe"}', {"content-type": "a/b+json"}),
    "a compressed body": ("POST", "/predict", body_of(instances=ROWS), {**JSON, "content-encoding": "gzip"}),
    "too many rows": ("POST", "/predict", body_of(instances=[ROWS[0]] * 40001), JSON),
    "an empty body": ("POST", "/predict", b"", JSON),
    "another method": ("GET", "/predict", b"", {}),
    "ready": ("GET", "/ready", b"", {}),
    "health": ("GET", "/health?verbose=a%20b&verbose=c", b"", {}),
    "live": ("GET", "/live", b"", {}),
    "head": ("HEAD", "/ready", b"", {}),
    "head of nothing": ("HEAD", "/nothing", b"", {}),
    "model": ("GET", "/model", b"", {}),
    "openapi": ("GET", "/openapi.json", b"", {}),
    "docs": ("GET", "/docs", b"", {}),
    "nothing": ("GET", "/a%2Fb/%C3%BC%FF", b"", {}),
    "its own id": ("GET", "/live", b"", {"x-request-id": "abc"}),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("form", ["multi-value headers", "single headers", "function URL"])
def test_a_client_sees_no_difference_from_the_server(
    both: Both, form: str, request_: tuple[str, str, bytes, dict[str, str]]
) -> None:
    if form == "function URL":
        event = url_event(*request_)
    else:
        event = balancer_event(*request_, multi_value=form == "multi-value headers")
    answer = both.function.invoke(event)
    assert ("multiValueHeaders" in answer) == (form == "multi-value headers")
    assert reply_of(answer) == both.ask_server(*request_)


def test_the_figures_and_the_lines_are_those_of_the_server(both: Both) -> None:
    for name in ("predict", "values that are refused", "nothing", "ready"):
        request = REQUESTS[name]
        both.function.invoke(balancer_event(*request))
        before = len(access_lines(both.server.lines()))
        both.ask_server(*request)
        until(partial(has_lines, both.server, before + 1), "the server's line")
        assert access_lines(both.function.lines())[-1] == access_lines(both.server.lines())[-1]
    ours, theirs = both.function.ask("GET", "/metrics"), both.ask_server("GET", "/metrics")
    assert (ours.status, ours.headers["content-type"]) == (theirs.status, theirs.headers["content-type"])
    assert types_of(ours) == types_of(theirs)


def has_lines(server: Endpoint, count: int) -> bool:
    return len(access_lines(server.lines())) >= count


def access_lines(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [line for line in lines if line.get("event") == "request"]
    return [{key: line[key] for key in line if key not in ("timestamp", "duration_ms")} for line in found]


def types_of(reply: Reply) -> list[str]:
    return [line for line in reply.body.decode().splitlines() if line.startswith("# TYPE")]


@pytest.mark.parametrize("host", ["[2001:db8::1]:8443", "a:b:c", "alphard.example.com:https"])
def test_a_host_of_any_form_is_answered(both: Both, host: str) -> None:
    assert both.function.ask("GET", "/live", headers={"host": host}).status == 200


def test_an_answer_beyond_the_balancers_limit_says_to_send_fewer_rows(both: Both) -> None:
    rows = [ROWS[0]] * 20_000
    sent = json.dumps({"instances": rows, "probabilities": True}).encode()
    refused = both.function.ask("POST", "/predict", sent, JSON)
    assert refused.status == 413
    assert refused.headers["content-type"] == "application/problem+json"
    assert "send fewer rows" in refused.json()["detail"]
    assert both.function.events_logged("request")[-1]["status"] == 413
    assert (
        len(reply_of(both.function.invoke(url_event("POST", "/predict", sent, JSON))).json()["predictions"]) == 20_000
    )
    both.function.largest = 0
    fits = both.function.ask("POST", "/predict", {"instances": rows[:12_000], "probabilities": True})
    assert fits.status == 200
    assert 500_000 < both.function.largest < ALB_ANSWER_BYTES


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (b"x" * 980_000, True),
        (b"x" * 1_000_000, False),
        (b'"' * 600_000, False),
        ("ü".encode() * 200_000, False),
        (b"\xff" * 700_000, True),
        (b"\xff" * 760_000, False),
    ],
)
def test_what_counts_is_the_answer_as_it_is_sent(body: bytes, fits: bool) -> None:
    scope = {"method": "POST", "aws.event": {"requestContext": {"elb": {}}}}
    if fits:
        check_answer(scope, body)
        return
    with pytest.raises(TooLargeError):
        check_answer(scope, body)
    with pytest.raises(AlphardError, match="takes") as raised:
        check_answer({**scope, "method": "GET"}, body)
    assert not isinstance(raised.value, TooLargeError)  # there are no rows of which to send fewer


def test_an_event_that_is_no_request_fails_alone(both: Both) -> None:
    assert "infer" in both.function.invoke({"hello": "world"})["errorMessage"]
    assert both.function.ask("GET", "/ready").status == 200


def test_importing_the_module_starts_nothing() -> None:
    code = (
        "import sys, threading, logging, service.lambda_handler as module;"
        "assert threading.active_count() == 1 and not logging.getLogger().handlers;"
        "assert 'sklearn' not in sys.modules;"
        "assert not hasattr(module, 'other')"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize(
    ("variables", "detail"),
    [
        ({"ALPHARD_POLL_SECONDS": "soon"}, "ALPHARD_POLL_SECONDS: expected a number of seconds over 0, got 'soon'"),
        ({"ALPHARD_MODEL_URI": "s3://models/iris"}, "ALPHARD_MODEL_URI: "),
    ],
)
def test_wrong_settings_end_the_start_with_one_line(store: Store, tmp_path: Path, variables: Any, detail: str) -> None:
    with environment(uri(store), tmp_path, variables, ready=False) as function:
        assert function.popen.wait(timeout=20) == 2
        (line,) = function.lines()
        assert (line["level"], line["event"]) == ("CRITICAL", "settings_refused")
        assert line["detail"].startswith(detail)


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_every_line_is_one_flat_object_whatever_lambda_is_told_of_logs(
    store: Store, tmp_path: Path, log_format: str
) -> None:
    told = {"AWS_LAMBDA_LOG_FORMAT": log_format, "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}
    with environment(uri(store), tmp_path, told) as function:
        function.ask("POST", "/predict", {"instances": ROWS})
        events = [line.get("event") for line in function.lines()]
        assert events[:2] == ["model_loaded", "request"]
        assert all("_aws" in line for line in function.lines()[2:])


def test_the_model_is_loaded_before_the_first_request_and_once(store: Store, tmp_path: Path) -> None:
    with environment(uri(store), tmp_path) as function:
        assert [line["model_version"] for line in function.events_logged("model_loaded")] == ["1"]
        for _ in range(3):
            assert function.ask("GET", "/ready").status == 200
        assert len(function.events_logged("model_loaded")) == 1


def test_a_promoted_version_is_served_by_the_next_request_that_is_due(store: Store, tmp_path: Path) -> None:
    with environment(uri(store), tmp_path, {"ALPHARD_POLL_SECONDS": "0.2"}) as function:
        assert function.ask("POST", "/predict", {"instances": ROWS}).headers["x-model-version"] == "1"
        point(store, "2")
        function.freeze(0.4)
        after = function.ask("POST", "/predict", {"instances": ROWS})
        assert after.headers["x-model-version"] == "2"
        assert after.json()["model"]["version"] == "2"


def test_golden_answers_that_differ_fail_the_start_with_the_reason(store: Store, tmp_path: Path) -> None:
    put_liar(store, "3")
    point(store, "3")
    with environment(uri(store), tmp_path, {"ALPHARD_POLL_SECONDS": "0.1"}) as function:
        refused = function.ask("GET", "/ready")
        assert (refused.status, refused.json()["reason"]) == (503, "failed")
        assert function.ask("POST", "/predict", {"instances": ROWS}).status == 503
        assert function.ask("GET", "/live").status == 200
        assert {line["reason"] for line in function.events_logged("model_rejected")} == {"golden"}
        point(store, "2")
        until(lambda: function.ask("GET", "/ready").status == 200, "the good version")


def test_golden_answers_that_differ_leave_the_model_that_works(store: Store, tmp_path: Path) -> None:
    put_liar(store, "3")
    with environment(uri(store), tmp_path, {"ALPHARD_POLL_SECONDS": "0.1"}) as function:
        point(store, "3")
        function.freeze(0.2)
        ready = function.ask("GET", "/ready")
        assert ready.status == 200
        assert ready.json()["rejected"]["version"] == "3"
        assert function.ask("POST", "/predict", {"instances": ROWS}).headers["x-model-version"] == "1"


def test_a_download_that_freezes_half_done_is_finished_or_done_again(s3: str, bucket: str, tmp_path: Path) -> None:
    store = open_store(f"s3://{bucket}/models")
    put(store, "1", "2")
    point(store, "1")
    frozen = threading.Event()

    def plan(method: str, path: str) -> Fault:
        return "hang" if "/versions/2/model" in path and not frozen.is_set() else None

    with (
        relay(s3, plan) as faults,
        environment(
            uri(store), tmp_path, {"AWS_ENDPOINT_URL": faults.endpoint, "ALPHARD_POLL_SECONDS": "0.2"}
        ) as function,
    ):
        point(store, "2")
        function.freeze(0.4)
        replies: list[Reply] = []
        asking = threading.Thread(target=lambda: replies.append(function.ask("POST", "/predict", {"instances": ROWS})))
        asking.start()
        until(lambda: any("/versions/2/model" in line for line in faults.seen), "the download to begin")
        frozen.set()
        faults.released.set()  # the connection breaks while the process is frozen
        function.freeze(0.5)
        asking.join()
        assert replies[0].headers["x-model-version"] in ("1", "2")
        until(lambda: function.ask("GET", "/ready").headers["x-model-version"] == "2", "the promoted version")
        assert function.events_logged("model_rejected") == []


def test_figures_are_written_with_the_request_after_which_they_are_due(store: Store, tmp_path: Path) -> None:
    with environment(uri(store), tmp_path, {"ALPHARD_METRICS_FLUSH_SECONDS": "0.2"}) as function:
        for count in (1, 2, 3):
            function.ask("GET", "/ready")
            assert function.figures("requests") == count
            function.freeze(0.3)


def test_a_load_longer_than_the_start_goes_on_under_the_first_requests(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def build(manifest: Manifest, manifest_sha256: str, files: Mapping[str, bytes]) -> Model:
        may_end.wait(20)
        return build_model(manifest, manifest_sha256, files)

    metrics, chosen = Metrics(), Settings(model_uri=uri(store))
    loader = Loader(uri(store), metrics=metrics, poll_seconds=30, load_deadline_seconds=20, build=build)
    handler = Handler(chosen, loader, metrics, Output("json", io.StringIO()))
    try:
        handler.load(0.05)
        monkeypatch.setattr("service.lambda_handler.LOAD_WAIT_SECONDS", 0.05)
        event, context = balancer_event("GET", "/ready"), cast("LambdaContext", None)
        loading = reply_of(handler(event, context))
        assert (loading.status, loading.json()["reason"]) == (503, "loading")
        assert loading.headers["retry-after"] == "5"
        may_end.set()
        monkeypatch.setattr("service.lambda_handler.LOAD_WAIT_SECONDS", 20)
        assert reply_of(handler(event, context)).status == 200
    finally:
        asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)
