"""What a client makes of what it is answered, and how those behave that are slow, get stuck, or pause."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rehearsal.client import Client
from rehearsal.exam import Exam, Solution
from tests.rehearsal.endpoint import Answers, Endpoint

EXAM = Exam(
    "house",
    [0, 1],
    [b'{"instances":[[1]]}', b'{"instances":[[1],[2]]}'],
    [{"1": Solution([0], [[0.9, 0.1]])}, {"1": Solution([0, 1], [[0.9, 0.1], [0.2, 0.8]])}],
)


def answer(version: str = "1", first: float = 0.9) -> bytes:
    """To the first body."""
    model = {"name": "house", "version": version}
    document = {"predictions": [0], "probabilities": [[first, 1 - first]], "classes": [0, 1], "model": model}
    return json.dumps(document).encode()


@asynccontextmanager
async def asked() -> AsyncIterator[tuple[Endpoint, Client]]:
    async with Endpoint.start() as endpoint:
        yield endpoint, Client(endpoint.port, EXAM, time.monotonic())


@pytest.mark.parametrize(
    ("given", "kind", "status", "version", "detail"),
    [
        (Answers(200, answer()), "answered", 200, "1", ""),
        (Answers(200, answer(first=0.8)), "wrong", 200, "1", "other probabilities than the estimator's of version 1"),
        (Answers(200, answer("9")), "wrong", 200, "9", "answered by house 9, which nobody published"),
        (Answers(503, b"not  now"), "refused", 503, None, "not now"),
        (Answers(None, b""), "cut", None, None, "closed before the answer: end of stream"),
        (Answers(None, b"nonsense\r\n\r\n"), "cut", None, None, "not HTTP"),
        (Answers(None, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal"), "cut", None, None, "closed before"),
    ],
)
def test_every_answer_is_judged(
    given: Answers, kind: str, status: int | None, version: str | None, detail: str
) -> None:
    async def ask() -> None:
        async with asked() as (endpoint, client):
            endpoint.answers = given
            await client.ask_slowly(0, 0)
            (outcome,) = client.outcomes
            assert (outcome.kind, outcome.status, outcome.version, outcome.rows) == (kind, status, version, 1)
            assert outcome.detail.startswith(detail)

    asyncio.run(ask())


def test_a_connection_that_nobody_accepts_is_cut() -> None:
    async def ask() -> None:
        async with asked() as (endpoint, client):
            endpoint.close()
            await client.ask_slowly(0, 0)
            assert [outcome.kind for outcome in client.outcomes] == ["cut"]

    asyncio.run(ask())


def test_a_slow_client_sends_its_request_in_many_parts() -> None:
    async def ask() -> None:
        async with asked() as (endpoint, client):
            endpoint.answers = Answers(200, answer())
            await client.ask_slowly(0, 0.1)
            assert endpoint.bodies == [EXAM.bodies[0]]
            assert endpoint.reads > 5
            assert [outcome.kind for outcome in client.outcomes] == ["answered"]

    asyncio.run(ask())


def test_a_stuck_client_never_ends_its_request() -> None:
    async def ask() -> None:
        async with asked() as (endpoint, client):
            connection = await client.begin_and_stop(1)
            while not endpoint.reads:
                await asyncio.sleep(0.001)
            assert endpoint.bodies == []
            connection.close()

    asyncio.run(ask())


@pytest.mark.parametrize(("pauses", "clients"), [(1, 3), (2, 5)])
def test_clients_that_pause_come_together(pauses: int, clients: int) -> None:
    async def ask() -> None:
        async with asked() as (endpoint, client):
            endpoint.answers = Answers(200, answer())
            await client.ask_after_pauses(pauses, 0.05, clients=clients)
            assert Counter(endpoint.bodies) == {EXAM.bodies[1]: (pauses + 1) * clients}

    asyncio.run(ask())
