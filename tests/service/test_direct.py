from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from service.batching import Cost
from service.bundle import Answers, Rows
from service.connection import Connection
from service.errors import EngineError
from service.loader import Status
from service.model import Model, build_model
from service.publish import publish
from service.routes import Decoded
from service.server import Server
from service.stores import open_store
from service.stores.fetch import fetch
from service.stores.uri import parse_model
from tests.serving import FakeLoader, Service, ask, make_service, serving, until
from tests.talk import Talk

X = np.random.default_rng(0).normal(size=(200, 3)).round(4)
ESTIMATOR = LogisticRegression().fit(X, np.where(X[:, 0] > 0, "up", "down"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    store = f"file://{tmp_path_factory.mktemp('store')}"
    uri = parse_model(publish(ESTIMATOR, X, name="m", store=store).uri)
    assert uri.version is not None
    bundle = fetch(open_store(uri.store), "m", uri.version, None)
    return build_model(bundle.manifest, bundle.manifest_sha256, bundle.files)


class Counting:
    """The model's engine, which notes how many rows each call had and may be made to fail."""

    def __init__(self, model: Model) -> None:
        self.calls: list[int] = []
        self.fails = False
        self._engine = model._engine

    def predict(self, rows: Rows, *, probabilities: bool = False, decision_values: bool = False) -> Answers:
        self.calls.append(len(rows.numbers))
        if self.fails:
            raise EngineError("broken")
        return self._engine.predict(rows, probabilities=probabilities, decision_values=decision_values)


class Served:
    """A real server of the model, whose engine can be looked at."""

    def __init__(self, service: Service, engine: Counting, server: Server) -> None:
        self.service, self.engine, self.server, self.port = service, engine, server, server.config.port

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.service.lines.getvalue().splitlines()]


@pytest.fixture
def served(model: Model) -> Iterator[Served]:
    engine = Counting(model)
    counted = Model(model.manifest, model.manifest_sha256, engine, Cost(1e-5, 1e-6), batches=True)
    service = make_service(loader=FakeLoader(Status(counted, None, None)))
    with serving(service) as server:
        yield Served(service, engine, server)


def request(body: Any, *headers: bytes, target: bytes = b"/predict") -> bytes:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [b"POST %s HTTP/1.1" % target, b"Host: x", b"Content-Length: %d" % len(sent), *headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + sent


GENERAL = b"/predict?"  # the same resource in other words, which only the general way understands


def told(answer: bytes) -> tuple[bytes, list[bytes], dict[str, Any]]:
    """Status line, headers and body, but for what differs from answer to answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    document = {key: value for key, value in json.loads(body).items() if key != "request_id"}
    return status, [h for h in headers if not h.startswith((b"date:", b"x-request-id:", b"content-length:"))], document


BODIES = {
    "one row": {"instances": [[1, 2, 3]]},
    "rows": {"instances": X[:50].tolist()},
    "probabilities": {"instances": X[:3].tolist(), "probabilities": True},
    "decision values": {"instances": X[:3].tolist(), "decision_values": True, "probabilities": False},
    "version 0.2": {"features": [1, 2, 3]},
    "named rows": {"instances": [{f"x{i}": 1.5 for i in range(3)}]},
    "a wrong cell": {"instances": [[1, 2, "three"]]},
    "a wrong row": {"instances": [[1, 2]]},
    "no rows": {"instances": []},
    "not JSON": b"{",
    "nothing": b"",
    "too many rows": {"instances": [[1, 2, 3]] * 10_001},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize(
    "header", [b"Content-Type: application/json", b"X-Request-Id: mine", b"Content-Type: text/csv"]
)
def test_the_answer_is_that_of_the_general_way(served: Served, body: Any, header: bytes) -> None:
    with Talk(served.port, request(body, header)) as talk:
        (direct,) = talk.hear()
    with Talk(served.port, request(body, header, target=GENERAL)) as talk:
        (general,) = talk.hear()
    assert told(direct) == told(general)
    lines = [line for line in served.lines() if line["event"] == "request"]
    changing = {"timestamp", "duration_ms", "request_id", "path"}
    first, second = ({k: v for k, v in line.items() if k not in changing} for line in lines)
    assert list(first.items()) == list(second.items())
    assert {type(line["duration_ms"]) for line in lines} == {float}


def test_the_lines_of_requests_are_written_without_waiting_for_another(served: Served) -> None:
    with Talk(served.port, request({"instances": [[1, 2, 3]]}) * 40) as talk:
        talk.hear()
        until(lambda: [line["status"] for line in served.lines()] == [200] * 40, "forty lines")


@pytest.mark.parametrize(
    "header",
    [
        b"X-Amzn-Trace-Id: Self=1-2-3;Root=1-67891233-abcdef012345678912345678",
        b"X-Request-Id: mine-1",
        b"X-Forwarded-For: 10.9.9.9, 192.0.2.7",
    ],
)
def test_ids_and_clients_are_told_as_on_the_general_way(served: Served, header: bytes) -> None:
    for target in (b"/predict", GENERAL):
        with Talk(served.port, request({"instances": [[1, 2, 3]]}, header, target=target)) as talk:
            talk.hear()
    first, second = (line for line in served.lines() if line["event"] == "request")
    assert first["client"] == second["client"]
    assert (first["request_id"] == second["request_id"]) is not header.startswith(b"X-Forwarded")


def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    bodies = [{"instances": [row]} for row in X[:5].tolist()]
    words = [request(body, target=GENERAL if i % 2 else b"/predict") for i, body in enumerate(bodies)]
    with Talk(served.port, b"".join(words) + b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n") as talk:
        answers = talk.hear(6)
    found = [json.loads(answer.partition(b"\r\n\r\n")[2]) for answer in answers]
    assert [one["predictions"][0] for one in found[:5]] == ESTIMATOR.predict(X[:5]).tolist()
    assert found[5] == {"status": "live"}


@pytest.mark.parametrize("cut", [1, 20, 60, -40, -1])
def test_a_request_may_come_in_pieces(served: Served, cut: int) -> None:
    words = request({"instances": X[:2].tolist()})
    with Talk(served.port, words[:cut]) as talk:
        assert ask(served.port, "GET", "/live").status == 200  # the first piece has been read
        talk.socket.sendall(words[cut:])
        (answer,) = talk.hear()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"] == ESTIMATOR.predict(X[:2]).tolist()


def test_a_body_in_several_reads_needs_no_asgi(served: Served) -> None:
    words = request({"instances": X[:50].tolist()})
    with Talk(served.port, words[:200]) as talk:
        for start in range(200, len(words), 300):
            assert ask(served.port, "GET", "/live").status == 200  # the piece before has been read
            talk.socket.sendall(words[start : start + 300])
        (answer,) = talk.hear()
        own = talk.socket.getsockname()
        connections = [each for each in served.server.server_state.connections if isinstance(each, Connection)]
        assert [each.cycle for each in connections if each.client == own] == [None]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"] == ESTIMATOR.predict(X[:50]).tolist()


@pytest.mark.parametrize("target", [b"/predict", GENERAL])
def test_a_body_that_is_half_here_when_the_task_is_told_to_stop_is_answered(model: Model, target: bytes) -> None:
    words = request({"instances": X[:2].tolist()}, target=target)
    service = make_service(loader=FakeLoader(Status(model, None, None)), drain_hold_seconds=0)
    with serving(service) as server, Talk(server.config.port, words[:-10]) as talk:
        assert ask(server.config.port, "GET", "/live").status == 200
        server.handle_exit(signal.SIGTERM, None)
        until(lambda: not server.servers[0].is_serving(), "the server to close its door")
        talk.socket.sendall(words[-10:])
        answer = talk.hear_all()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer


def test_a_body_that_dawdles_is_told_the_same_as_on_the_general_way(model: Model) -> None:
    service = make_service(loader=FakeLoader(Status(model, None, None)), request_deadline_seconds=0.3)
    answers = []
    with serving(service) as server:
        for target in (b"/predict", GENERAL):
            with Talk(server.config.port, request({"instances": X[:2].tolist()}, target=target)[:-10]) as talk:
                answers.append(talk.hear_all())
    assert told(answers[0]) == told(answers[1])
    assert [line["status"] for line in service.lines.objects()] == [408, 408]


def test_chunks_are_taken_too(served: Served) -> None:
    body = json.dumps({"instances": [[1, 2, 3]]}).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Talk(
        served.port, head + b"5\r\n" + body[:5] + b"\r\n%x\r\n" % len(body[5:]) + body[5:] + b"\r\n0\r\n\r\n"
    ) as talk:
        (answer,) = talk.hear()
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("words", [b"Connection: close", b"Expect: 100-continue"])
def test_what_changes_the_connection_goes_the_general_way(served: Served, words: bytes) -> None:
    with Talk(served.port, request({"instances": [[1, 2, 3]]}, words)) as talk:
        if words.startswith(b"Connection"):
            assert b"connection: close" in talk.hear_all()
        else:
            assert b"HTTP/1.1 200 OK" in talk.hear(2)[-1]


def test_an_old_client_is_answered_and_left(served: Served) -> None:
    words = request({"instances": [[1, 2, 3]]}).replace(b"HTTP/1.1", b"HTTP/1.0")
    with Talk(served.port, words) as talk:
        assert talk.hear_all().startswith(b"HTTP/1.1 200 OK")


def test_while_draining_every_answer_closes_its_connection(served: Served) -> None:
    served.service.drain.begin()
    with Talk(served.port, request({"instances": [[1, 2, 3]]})) as talk:
        answer = talk.hear_all()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer


def test_a_connection_is_kept_for_the_next_request(served: Served) -> None:
    with Talk(served.port) as talk:
        for count in range(1, 6):
            talk.socket.sendall(request({"instances": [[count, 2, 3]]}))
            assert len(talk.hear(count)) == count


class FakeClient:
    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.passed_on: list[bytes] = []
        self.decoded: Decoded | None = None

    def address(self) -> str | None:
        return None

    def answer(self, head: bytes, body: bytes) -> None:
        assert b"content-length: %d\r\n" % len(body) in head
        self.answers.append(body)

    def pass_on(self, body: bytes, decoded: Decoded | None = None) -> None:
        self.passed_on.append(body)
        self.decoded = decoded


class Turn:
    """Requests that arrive in one turn of an event loop."""

    def __init__(self, model: Model, cost: Cost, *, batches: bool = True) -> None:
        self.engine = Counting(model)
        counted = Model(model.manifest, model.manifest_sha256, self.engine, cost, batches=batches)
        self.direct = make_service(loader=FakeLoader(Status(counted, None, None))).app.direct
        self.clients: list[FakeClient] = []

    def run(self, *bodies: dict[str, Any]) -> None:
        async def arrive() -> None:
            self.clients = [FakeClient() for _ in bodies]
            for client, body in zip(self.clients, bodies, strict=True):
                self.direct.take(client, {}, json.dumps(body).encode(), 0.0)
            for _ in bodies:
                await asyncio.sleep(0)

        asyncio.run(arrive())

    def answers(self) -> list[Any]:
        return [json.loads(*client.answers) for client in self.clients]


EIGHT = [{"instances": [row]} for row in X[:8].tolist()]
CHEAP = Cost(1e-5, 1e-6)


def test_requests_of_one_turn_share_a_call(model: Model) -> None:
    turn = Turn(model, CHEAP)
    turn.run(*EIGHT)
    assert turn.engine.calls == [8]
    assert [answer["predictions"] for answer in turn.answers()] == [[label] for label in ESTIMATOR.predict(X[:8])]


def test_an_answer_is_the_same_bytes_alone_and_among_others(model: Model) -> None:
    bodies = [{"instances": X[i : i + 1 + i % 4].tolist(), "probabilities": True} for i in range(40)]
    together, alone = Turn(model, Cost(1e-6, 1e-7)), Turn(model, CHEAP)
    together.run(*bodies)
    found = [client.answers for client in together.clients]
    for body, answers in zip(bodies, found, strict=True):
        alone.run(body)
        assert alone.clients[0].answers == answers


def test_a_call_holds_no_more_rows_than_are_quick(model: Model) -> None:
    turn = Turn(model, Cost(3e-4, 3e-4))
    turn.run(*EIGHT)
    assert turn.engine.calls == [3, 3, 2]
    assert [answer["predictions"] for answer in turn.answers()] == [[label] for label in ESTIMATOR.predict(X[:8])]


def test_a_call_that_would_take_long_is_not_made_here(model: Model) -> None:
    turn = Turn(model, Cost(3e-4, 3e-4))
    turn.run({"instances": X[:4].tolist()})
    assert turn.engine.calls == []
    decoded = turn.clients[0].decoded
    assert decoded is not None  # and not in vain
    assert decoded.request.rows.numbers.tolist() == X[:4].tolist()


def test_rows_are_computed_one_by_one_where_company_changes_them(model: Model) -> None:
    turn = Turn(model, CHEAP, batches=False)
    turn.run(*EIGHT)
    assert turn.engine.calls == [1] * 8


def test_each_is_answered_what_it_asked_for(model: Model) -> None:
    turn = Turn(model, CHEAP)
    turn.run(*({**body, "probabilities": i % 2 == 1} for i, body in enumerate(EIGHT)))
    assert turn.engine.calls == [4, 4]
    assert ["probabilities" in answer for answer in turn.answers()] == [False, True] * 4


def test_what_the_engine_fails_on_goes_the_general_way_one_by_one(model: Model) -> None:
    turn = Turn(model, CHEAP)
    turn.engine.fails = True
    turn.run(*EIGHT)
    assert [client.passed_on for client in turn.clients] == [[json.dumps(body).encode()] for body in EIGHT]
    assert not any(client.answers for client in turn.clients)


def test_a_failing_engine_is_a_problem_for_its_client(served: Served) -> None:
    served.engine.fails = True
    answer = ask(served.port, "POST", "/predict", {"instances": [[1, 2, 3]]})
    assert answer.status == 500
    served.engine.fails = False
    assert ask(served.port, "POST", "/predict", {"instances": [[1, 2, 3]]}).status == 200


class Closed:
    """The transport of a client that went away before its turn was over."""

    def is_closing(self) -> bool:
        return True

    def write(self, _: bytes) -> None:
        raise RuntimeError("closed")


def test_a_client_that_has_gone_keeps_no_other_from_its_answer() -> None:
    connection = Connection.__new__(Connection)
    connection.transport = Closed()  # type: ignore[assignment]  # all of a transport that is asked for
    connection.answer(b"content-length: 0\r\n\r\n", b"")
    connection.pass_on(b"{}")


def test_clients_may_leave_at_any_moment(served: Served) -> None:
    for _ in range(100):
        talk = Talk(served.port, request({"instances": [[1, 2, 3]]}))
        talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        talk.socket.close()
        assert ask(served.port, "POST", "/predict", {"instances": [[1, 2, 3]]}).status == 200


def test_without_a_model_nothing_is_taken() -> None:
    service = make_service(loader=FakeLoader(Status(None, "loading", "soon")))
    client = FakeClient()
    service.app.direct.take(client, {}, json.dumps(EIGHT[0]).encode(), 0.0)
    assert client.passed_on == [json.dumps(EIGHT[0]).encode()]
    assert not service.app.direct.may_take({}, 1)
