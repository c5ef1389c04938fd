"""Traffic at a constant rate: what it sends, on which connections, and that it waits for nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.exam import Exam
from rehearsal.outcomes import Outcome
from rehearsal.traffic import LARGE_EVERY, NEW_CONNECTION_EVERY, traffic
from tests.rehearsal.endpoint import Answers, Endpoint
from tests.rehearsal.test_client import EXAM, answer

RATE = 200.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    EXAM.write(tmp_path)
    return tmp_path


async def send(exam: Path, play: Callable[[Endpoint], object]) -> tuple[Endpoint, list[Outcome]]:
    async with Endpoint.start() as endpoint:
        endpoint.answers = Answers(200, answer())
        started_at = time.monotonic()
        async with traffic(exam, port=endpoint.port, rate=RATE, started_at=started_at, exam=exam) as sent:
            await until(lambda: len(endpoint.bodies) >= 90)
            waited = play(endpoint)
            if asyncio.iscoroutine(waited):
                await waited
            return endpoint, await sent.stop()


def test_what_is_sent_is_what_is_told(exam: Path) -> None:
    endpoint, outcomes = asyncio.run(send(exam, lambda _: None))
    assert (
        len(outcomes)
        == len(endpoint.bodies)
        == endpoint.bodies.count(EXAM.bodies[0]) + sum(outcome.rows == 2 for outcome in outcomes)
    )
    assert [outcome.kind for outcome in outcomes if outcome.rows == 1] == ["answered"] * (
        len(outcomes) - sum(outcome.rows == 2 for outcome in outcomes)
    )


def test_the_rate_is_constant_and_sizes_and_connections_are_mixed(exam: Path) -> None:
    endpoint, outcomes = asyncio.run(send(exam, lambda _: None))
    numbers = [round(outcome.intended_at * RATE) for outcome in outcomes]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for number, outcome in zip(numbers, outcomes, strict=True):
        assert outcome.rows == (2 if number % LARGE_EVERY == 0 else 1)
        assert outcome.kept_alive == (number % NEW_CONNECTION_EVERY != 0)
    assert endpoint.connections < len(outcomes) / 2


def test_a_stall_shows_in_every_request_that_it_held_up(exam: Path) -> None:
    """All are sent at their time, each on a connection of its own if need be, though nobody answers."""

    async def stall(endpoint: Endpoint) -> None:
        endpoint.hold.clear()
        before = len(endpoint.bodies)
        await until(lambda: len(endpoint.bodies) >= before + 60)
        endpoint.hold.set()

    _, outcomes = asyncio.run(send(exam, stall))
    longest = max(outcomes, key=lambda outcome: outcome.latency_seconds)
    released_at = longest.intended_at + longest.latency_seconds
    held = [each for each in outcomes if longest.intended_at <= each.intended_at < released_at]
    assert len(held) >= 60
    assert all(each.intended_at + each.latency_seconds >= released_at - 0.001 for each in held[:50])


def test_answers_that_are_lost_are_told(exam: Path) -> None:
    async def lose(endpoint: Endpoint) -> None:
        endpoint.answers = Answers(None, b"")
        before = len(endpoint.bodies)
        await until(lambda: len(endpoint.bodies) >= before + 10)

    endpoint, outcomes = asyncio.run(send(exam, lose))
    assert sum(outcome.kind == "cut" for outcome in outcomes) >= 10
    assert len(outcomes) == len(endpoint.bodies)  # nothing was sent again


def test_an_exam_is_the_same_in_another_process(exam: Path) -> None:
    read = Exam.read(exam)
    assert (read.bodies, read.solutions, read.rows) == (EXAM.bodies, EXAM.solutions, EXAM.rows)
