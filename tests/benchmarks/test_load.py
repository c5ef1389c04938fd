"""What measures must itself be right: it sees every answer, and counts as it says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from benchmarks.load import Load, WrongAnswerError, closed_loop, open_loop, whole_body
from tests.benchmarks.answering import BODIES, ONE, OTHER, answering, echo, response


def test_a_closed_loop_sends_as_many_as_were_asked_for_and_waits_for_each() -> None:
    with answering(echo) as address:
        load = closed_loop([address], [ONE, OTHER], BODIES, connections=3, count=50)
    assert len(load.latencies) == 50


def test_an_open_loop_sends_as_many_as_its_rate_makes() -> None:
    with answering(echo) as address:
        load = open_loop([address], [ONE, OTHER], BODIES, connections=2, rate=500, seconds=0.1)
    assert len(load.latencies) == 50


def test_an_open_loop_counts_from_when_a_request_should_have_been_sent() -> None:
    """One connection is held up by the first answer, so all that were due meanwhile were late."""
    held = threading.Event()

    def hold_first(request: bytes, number: int) -> bytes:
        if number == 0:
            held.wait(0.2)
        return echo(request, number)

    with answering(hold_first) as address:
        load = open_loop([address], [ONE], BODIES[:1], connections=1, rate=100, seconds=0.1)
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
        loop([address], [ONE, OTHER], BODIES, connections=2)


def test_an_answer_of_another_request_is_noticed() -> None:
    with answering(lambda _request, _number: response(BODIES[0])) as address, pytest.raises(WrongAnswerError):
        closed_loop([address], [ONE, OTHER], BODIES, connections=1, count=10)


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
