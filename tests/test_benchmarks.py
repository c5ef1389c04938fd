"""What measures must itself be right: it sees every answer, and counts as it says."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from benchmarks.contest import ALPHARD, NOOP, OWN, PEERS, Contestant, requirements
from benchmarks.figure import draw
from benchmarks.lifecycle import Lifecycle, Memory
from benchmarks.load import Load, WrongAnswerError, ask, closed_loop, open_loop, whole_body
from benchmarks.measure import SCENARIOS, Figures, Form, Tail, checked_answers
from benchmarks.models import Asked
from benchmarks.report import write_report
from benchmarks.results import ModelResults, Results, broken, held_floors, ratios
from benchmarks.servers import Server, StartError, free_port, python, started

ONE, OTHER = NOOP.request([[1.0]]), NOOP.request([[2.0]])


def response(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@contextmanager
def answering(answer: Callable[[bytes, int], bytes | None]) -> Iterator[tuple[str, int]]:
    """A server that answers what the function makes of a request and its number, and closes the connection at None."""
    numbers = iter(range(1_000_000))

    def talk(connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):  # a client that saw a wrong answer leaves
            while request := connection.recv(65536):
                said = answer(request, next(numbers))
                if said is None:
                    return
                connection.sendall(said)

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def echo(request: bytes, _number: int) -> bytes:
    return response(request.rpartition(b"\r\n\r\n")[2])


BODIES = [request.rpartition(b"\r\n\r\n")[2] for request in (ONE, OTHER)]


def test_a_closed_loop_sends_as_many_as_were_asked_for_and_waits_for_each() -> None:
    with answering(echo) as address:
        load = closed_loop(address, [ONE, OTHER], BODIES, connections=3, count=50)
    assert len(load.latencies) == 50


def test_an_open_loop_sends_as_many_as_its_rate_makes() -> None:
    with answering(echo) as address:
        load = open_loop(address, [ONE, OTHER], BODIES, connections=2, rate=500, seconds=0.1)
    assert len(load.latencies) == 50


def test_an_open_loop_counts_from_when_a_request_should_have_been_sent() -> None:
    """One connection is held up by the first answer, so all that were due meanwhile were late."""
    held = threading.Event()

    def hold_first(request: bytes, number: int) -> bytes:
        if number == 0:
            held.wait(0.2)
        return echo(request, number)

    with answering(hold_first) as address:
        load = open_loop(address, [ONE], BODIES[:1], connections=1, rate=100, seconds=0.1)
    assert sum(latency > 0.1 for latency in load.latencies) > 5


@pytest.mark.parametrize("loop", [partial(closed_loop, count=100), partial(open_loop, rate=2000, seconds=0.05)])
@pytest.mark.parametrize(
    ("late", "said"),
    [(response(b"{}"), "{}"), (response(b"", b"503 No"), "503"), (None, "closed the connection")],
    ids=["another answer", "another status", "a closed connection"],
)
def test_what_is_wrong_is_noticed_however_late(loop: Callable[..., Load], late: bytes | None, said: str) -> None:
    def answer(request: bytes, number: int) -> bytes | None:
        return late if number == 20 else echo(request, number)

    with answering(answer) as address, pytest.raises(WrongAnswerError, match=said):
        loop(address, [ONE, OTHER], BODIES, connections=2)


def test_an_answer_of_another_request_is_noticed() -> None:
    with answering(lambda _request, _number: response(BODIES[0])) as address, pytest.raises(WrongAnswerError):
        closed_loop(address, [ONE, OTHER], BODIES, connections=1, count=10)


@pytest.mark.parametrize(
    "whole", [response(b"abc"), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"]
)
def test_a_body_is_read_once_its_last_byte_is_there(whole: bytes) -> None:
    assert [whole_body(whole[:end]) for end in range(len(whole))] == [None] * len(whole)
    assert whole_body(whole) == b"abc"


@pytest.mark.parametrize(("percent", "latency"), [(0, 1), (1, 1), (50, 50), (99, 99), (99.1, 100), (100, 100)])
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(percent: float, latency: float) -> None:
    assert Load(1.0, [float(i) for i in range(100, 0, -1)]).percentile(percent) == latency


def test_a_rate_is_answers_a_second() -> None:
    assert Load(2.0, [0.1] * 10).rate == 5


def test_an_answer_is_checked_by_what_the_estimator_predicts() -> None:
    def server(address: tuple[str, int]) -> Server:
        return Server(None, address)  # type: ignore[arg-type]  # no process: it is in this one

    body = b'{"predictions":["yes"],"model":{}}'
    with answering(lambda _request, _number: response(body)) as address:
        _, answers = checked_answers(ALPHARD, server(address), [Asked([[1.0]], ["yes"])])
        assert answers == [body]
        with pytest.raises(WrongAnswerError, match="Alphard"):
            checked_answers(ALPHARD, server(address), [Asked([[1.0]], ["no"])])


def test_a_server_is_started_weighed_and_ended(tmp_path: Path) -> None:
    port = free_port()
    command = python("-m", "uvicorn", "benchmarks.contestants.noop:app", "--port", str(port), "--log-level", "critical")
    with started(command, {}, ONE, log=tmp_path / "log", port=port) as server:
        body = ask(server.address, ONE)
        before = server.processor_seconds()
        assert len(closed_loop(server.address, [ONE], [body], connections=4, count=3000).latencies) == 3000
        assert server.processor_seconds() > before
        assert server.resident_mib() > 5
    assert server.process.returncode is not None
    with pytest.raises(ConnectionRefusedError):
        ask(server.address, ONE)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = python("-c", "raise SystemExit('no such model')")
    with (
        pytest.raises(StartError, match="no such model"),
        started(command, {}, ONE, log=tmp_path / "log", port=free_port()),
    ):
        pass


def results(ours: float, theirs: float) -> Results:
    """Microseconds a request of the processor, in every scenario."""
    figures = {
        (name, scenario): Figures([1e6 / used, 0.9e6 / used, 2e6 / used], [used, used, 2 * used])
        for name, used in (("alphard", ours), ("plain", theirs), ("noop", 10.0), ("ray", 9000.0))
        for scenario in SCENARIOS
    }
    lifecycle = Lifecycle({"alphard": [1.0], "bare": [0.8]}, [Memory(0, 90.0), Memory(10_000, 91.0)])
    models = {"logistic": ModelResults("onnx", figures, {"alphard": Tail(500.0, [1.0, 3.0, 2.0])})}
    return Results(models, lifecycle, {"mlflow": "no wheel for this Python"})


def test_a_ratio_is_of_medians_and_above_one_where_alphard_is_faster() -> None:
    found = {(each.other, str(each.scenario)): each for each in ratios(results(ours=40, theirs=60))}
    each = found["plain", "1 row x 32"]
    assert (each.rate, each.processor) == pytest.approx((1.5, 1.5))


def test_only_a_ratio_under_its_floor_is_broken() -> None:
    floors = {"logistic": {"1 row x 32": {"plain": 1.2}}}
    assert broken(ratios(results(ours=40, theirs=60)), floors) == []
    (line,) = broken(ratios(results(ours=60, theirs=60)), floors)
    assert line.startswith("logistic, 1 row x 32, against plain: 1.00 times")


def test_every_held_ratio_is_one_that_is_measured() -> None:
    for floors in held_floors().values():
        assert floors.keys() <= {str(scenario) for scenario in SCENARIOS}
        for floor in floors.values():
            assert floor.keys() <= {each.name for each in OWN}


def test_the_report_shows_every_contestant_and_who_is_left_out() -> None:
    given = results(ours=40, theirs=60)
    page = write_report(given, ratios(given), Form(3, 1.0))
    for shown in ("| Alphard | 25,000", "| Ray Serve | 111", "MLflow: no wheel", "1.25 times as long", "| 2.00 | 1.00"):
        assert shown in page
    drawing = draw(given, "logistic")
    assert drawing.count("<circle") == 4 * len(SCENARIOS)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_has_the_scikit_learn_that_fitted_the_model(peer: Contestant) -> None:
    ours = [line for line in Path("requirements.txt").read_text().splitlines() if line.startswith("scikit-learn==")]
    listed = requirements(peer).read_text().splitlines()
    assert ours[0].split()[0] in listed
    assert all("==" in line for line in listed if not line.startswith("#"))


def test_requests_are_http_with_the_rows_in_each_ones_dialect() -> None:
    for contestant in (*OWN, *PEERS):
        head, _, body = contestant.request([[1.5, 2.5]]).partition(b"\r\n\r\n")
        assert head.startswith(b"POST /")
        assert b"content-length: %d" % len(body) in head
        assert b"[1.5,2.5]" in body
        json.loads(body)
