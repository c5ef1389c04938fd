"""Long calls on a real server: while one runs in a worker thread, what arrives forms the next."""

from __future__ import annotations

import json
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from service.batching import Cost
from service.bundle import Answers, Rows
from service.loader import Status
from service.model import Model, build_model
from service.publish import publish
from service.stores import open_store
from service.stores.fetch import fetch
from service.stores.uri import parse_model
from tests.serving import WAIT_SECONDS, FakeLoader, Reply, Service, ask, make_service, serving, until
from tests.talk import Talk, status

X = np.random.default_rng(0).normal(size=(60, 3)).round(4)
SLOW = Cost(0.01, 1e-5)
"""What the model is said to cost, so that its calls go to workers."""


@pytest.fixture(autouse=True)
def _calls_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a test holds them: otherwise the next call would begin beside them after half a second."""
    monkeypatch.setattr("service.batching.LONG_CALL_SECONDS", WAIT_SECONDS)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
    """Two versions, which answer otherwise."""
    store = f"file://{tmp_path_factory.mktemp('store')}"
    estimators = [LogisticRegression().fit(X, np.where(X[:, i] > 0, "up", "down")) for i in (0, 1)]
    found = []
    for estimator in estimators:
        uri = parse_model(publish(estimator, X, name="m", store=store).uri)
        assert uri.version is not None
        found.append(build_model(*fetch(open_store(uri.store), "m", uri.version, None)[:3]))
    return found


class Held:
    """A model's engine that holds each call from a worker until it is let go."""

    def __init__(self, of: Model) -> None:
        self.calls: list[int] = []
        self.let_go = threading.Event()
        self._engine = of._engine
        self.model = Model(of.manifest, of.manifest_sha256, self, SLOW, batches=True)

    def predict(self, rows: Rows, *, probabilities: bool = False, decision_values: bool = False) -> Answers:
        self.calls.append(len(rows.numbers))
        assert self.let_go.wait(WAIT_SECONDS)
        return self._engine.predict(rows, probabilities=probabilities, decision_values=decision_values)

    @property
    def waiting(self) -> int:
        return len(self.model._batcher._waiting)


class Scene:
    """A real server whose first call is held."""

    def __init__(self, service: Service, engine: Held, port: int, pool: ThreadPoolExecutor) -> None:
        self.service, self.engine, self.port, self._pool = service, engine, port, pool
        self.first = self.ask(0)
        until(lambda: engine.calls == [1], "the first call")

    def ask(self, index: int, count: int = 1) -> Future[Reply]:
        body = {"instances": X[index : index + count].tolist(), "probabilities": True}
        return self._pool.submit(ask, self.port, "POST", "/predict", body)

    def ask_and_wait(self, *indices: int) -> list[Future[Reply]]:
        """Asks for two rows each, one request after the other has joined those that wait."""
        asked = []
        for index in indices:
            before = self.engine.waiting
            asked.append(self.ask(index, 2))
            until(lambda before=before: self.engine.waiting > before, "the request to wait")  # type: ignore[misc]
        return asked

    def statuses(self) -> list[int]:
        return sorted(line["status"] for line in self.service.lines.objects() if line["event"] == "request")


@pytest.fixture
def scene(models: list[Model], request: pytest.FixtureRequest) -> Iterator[Scene]:
    changed = getattr(request, "param", {})
    engine = Held(models[0])
    service = make_service(loader=FakeLoader(Status(engine.model, None, None)), **changed)
    with ThreadPoolExecutor() as pool, serving(service) as server:
        try:
            yield Scene(service, engine, server.config.port, pool)
        finally:
            engine.let_go.set()


def alone(model: Model, index: int, count: int) -> dict[str, Any]:
    """The answer's document as it is when nothing else is asked."""
    service = make_service(loader=FakeLoader(Status(model, None, None)))
    reply = service.ask("POST", "/predict", {"instances": X[index : index + count].tolist(), "probabilities": True})
    return dict(reply.json())


def test_a_batch_forms_while_a_call_runs_and_changes_no_bit(scene: Scene, models: list[Model]) -> None:
    asked = scene.ask_and_wait(1, 5, 9)
    assert ask(scene.port, "GET", "/live").status == 200
    scene.engine.let_go.set()
    assert scene.first.result().json() == alone(models[0], 0, 1)
    assert [each.result().json() for each in asked] == [alone(models[0], i, 2) for i in (1, 5, 9)]
    assert scene.engine.calls == [1, 6]
    until(lambda: scene.statuses() == [200] * 4, "the lines")


def test_a_client_that_leaves_harms_nobody(scene: Scene, models: list[Model]) -> None:
    before, *_ = scene.ask_and_wait(1)
    body = json.dumps({"instances": X[:3].tolist(), "probabilities": True}).encode()
    with Talk(
        scene.port, b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    ) as talk:
        until(lambda: scene.engine.waiting == 2, "the leaver to wait")
        talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    after, *_ = scene.ask_and_wait(9)
    scene.engine.let_go.set()
    assert scene.first.result().status == 200
    assert [each.result().json() for each in (before, after)] == [alone(models[0], i, 2) for i in (1, 9)]


@pytest.mark.parametrize("scene", [{"request_deadline_seconds": 0.3}], indirect=True)
def test_who_is_late_is_told_so_and_computed_no_more(scene: Scene) -> None:
    (waiting,) = scene.ask_and_wait(1)
    for late in (scene.first, waiting):
        reply = late.result()
        assert (reply.status, reply.json()["type"]) == (503, "urn:alphard:problem:late")
        assert reply.headers["retry-after"]
    scene.engine.let_go.set()
    assert ask(scene.port, "POST", "/predict", {"instances": X[:4].tolist()}).status == 200
    assert scene.engine.calls[-1] == 4
    assert 2 not in scene.engine.calls
    until(lambda: scene.statuses() == [200, 503, 503], "the lines")


def test_at_sigterm_all_that_wait_are_answered(models: list[Model]) -> None:
    engine = Held(models[0])
    service = make_service(loader=FakeLoader(Status(engine.model, None, None)), drain_hold_seconds=0)
    with ThreadPoolExecutor() as pool, serving(service) as server:
        scene = Scene(service, engine, server.config.port, pool)
        asked = scene.ask_and_wait(1, 5)
        server.handle_exit(signal.SIGTERM, None)
        until(lambda: not server.servers[0].is_serving(), "the server to close its door")
        engine.let_go.set()
        replies = [each.result() for each in (scene.first, *asked)]
    assert [reply.status for reply in replies] == [200] * 3
    assert {reply.headers["connection"] for reply in replies} == {"close"}
    assert engine.calls == [1, 4]


@pytest.mark.parametrize(
    "scene",
    [{"graceful_timeout_seconds": 1, "request_deadline_seconds": 1, "drain_hold_seconds": 0, "keep_alive_seconds": 5}],
    indirect=True,
)
def test_a_call_that_does_not_end_is_not_waited_for_longer_than_the_deadline(scene: Scene) -> None:
    (waiting,) = scene.ask_and_wait(1)
    scene.service.drain.begin()
    replies = [each.result() for each in (scene.first, waiting)]
    assert [reply.status for reply in replies] == [503, 503]
    assert {reply.headers["connection"] for reply in replies} == {"close"}


def test_each_is_answered_by_the_model_that_took_it(scene: Scene, models: list[Model]) -> None:
    old = scene.ask_and_wait(1, 5)
    other = Held(models[1])
    scene.service.loader.now = Status(other.model, None, None)
    new = scene.ask(1, 2)
    until(lambda: other.calls == [2], "the new model's call, beside the old one's")
    scene.engine.let_go.set()
    assert [each.result().json() for each in old] == [alone(models[0], i, 2) for i in (1, 5)]
    other.let_go.set()
    assert new.result().json() == alone(models[1], 1, 2)
    assert scene.engine.calls == [1, 4]


def test_a_body_that_does_not_fit_one_read_is_one_request(scene: Scene, models: list[Model]) -> None:
    scene.engine.let_go.set()
    body = json.dumps({"instances": np.tile(X, (200, 1))[:9000].tolist()}).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with Talk(scene.port, head + body[:1000]) as talk:
        assert ask(scene.port, "GET", "/live").status == 200
        talk.socket.sendall(body[1000:])
        (answer,) = talk.hear()
    assert status(answer) == 200
    assert scene.engine.calls == [1, 9000]
    assert len(json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"]) == 9000
