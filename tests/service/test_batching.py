from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest

from service.batching import BATCH_ROWS, Batcher, Cost, Wanted
from service.bundle import Answers, Rows
from service.errors import EngineError
from tests.serving import WAIT_SECONDS

PLAIN, WITH_PROBABILITIES = Wanted(False, False), Wanted(True, False)
SLOW = Cost(0.01, 0.001)


@pytest.fixture(autouse=True)
def _calls_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a test holds them."""
    monkeypatch.setattr("service.batching.LONG_CALL_SECONDS", WAIT_SECONDS)


def rows(first: float, count: int = 1) -> Rows:
    return Rows(np.arange(first, first + count)[:, None], np.empty((count, 0), np.object_))


class Engine:
    """Notes the numbers of each call and answers them, once the call is let go and ``during`` has been done in it."""

    def __init__(self) -> None:
        self.during: Callable[[list[float]], None] = lambda _: None
        self.calls: list[list[float]] = []
        self.refused: set[float] = set()
        self.began = threading.Semaphore(0)
        self.let_go = threading.Event()

    def call(self, parts: Sequence[Rows], _: Wanted) -> list[Answers]:
        numbers = [float(number) for part in parts for number in part.numbers[:, 0]]
        self.calls.append(numbers)
        self.began.release()
        assert self.let_go.wait(WAIT_SECONDS)
        self.during(numbers)
        if self.refused & set(numbers):
            raise EngineError(f"refused {numbers}")
        return [Answers(part.numbers[:, 0]) for part in parts]

    async def has_begun(self) -> None:
        """Waits for one more call to begin."""
        assert await asyncio.to_thread(self.began.acquire, timeout=WAIT_SECONDS)


class Scene:
    """A batcher whose first call has begun, with the number 0, and holds."""

    def __init__(self, *, batch_rows: int = BATCH_ROWS, calls_at_once: int = 1, cost: Cost = SLOW) -> None:
        self.engine = Engine()
        self.batcher = Batcher(self.engine.call, cost, batch_rows=batch_rows, calls_at_once=calls_at_once)

    def ask(
        self, first: float, count: int = 1, wanted: Wanted = PLAIN, deadline: float = math.inf
    ) -> asyncio.Task[Answers]:
        return asyncio.create_task(self.batcher.predict(rows(first, count), wanted, deadline))

    async def hold(self) -> asyncio.Task[Answers]:
        first = self.ask(0)
        await self.engine.has_begun()
        return first

    async def answers(self, *asked: asyncio.Task[Answers]) -> list[list[float]]:
        await asyncio.sleep(0)  # all that were asked wait now
        self.engine.let_go.set()
        return [answers.predictions.tolist() for answers in await asyncio.gather(*asked)]


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, WAIT_SECONDS))


def test_what_arrives_while_a_call_runs_forms_the_next() -> None:
    async def play() -> None:
        scene = Scene()
        first = await scene.hold()
        assert await scene.answers(first, scene.ask(1), scene.ask(5, 3), scene.ask(9)) == [[0], [1], [5, 6, 7], [9]]
        assert scene.engine.calls == [[0], [1, 5, 6, 7, 9]]

    run(play())


def test_only_those_share_a_call_who_want_the_same() -> None:
    async def play() -> None:
        scene = Scene()
        first = await scene.hold()
        asked = [scene.ask(i, wanted=WITH_PROBABILITIES if i % 2 else PLAIN) for i in range(1, 6)]
        assert await scene.answers(first, *asked) == [[0], [1], [2], [3], [4], [5]]
        assert scene.engine.calls == [[0], [1, 3, 5], [2, 4]]

    run(play())


@pytest.mark.parametrize(
    ("batch_rows", "calls"),
    [
        (0, [[0], [1, 2], [3, 4, 5], [6]]),
        (3, [[0], [1, 2, 6], [3, 4, 5]]),
        (5, [[0], [1, 2, 3, 4, 5], [6]]),
        (6, [[0], [1, 2, 3, 4, 5, 6]]),
    ],
)
def test_a_batch_holds_as_many_rows_as_it_may(batch_rows: int, calls: list[list[float]]) -> None:
    async def play() -> None:
        scene = Scene(batch_rows=batch_rows)
        asked = [await scene.hold(), scene.ask(1, 2), scene.ask(3, 3), scene.ask(6)]
        assert await scene.answers(*asked) == [[0], [1, 2], [3, 4, 5], [6]]
        assert scene.engine.calls == calls

    run(play())


def test_a_batch_does_not_outlast_the_time_of_the_first() -> None:
    async def play() -> None:
        scene = Scene(cost=Cost(100.0, 100.0))
        first = await scene.hold()
        deadline = time.perf_counter() + 250
        asked = [scene.ask(i, deadline=deadline) for i in (1, 2, 3)]
        assert await scene.answers(first, *asked) == [[0], [1], [2], [3]]
        assert scene.engine.calls == [[0], [1, 2], [3]]

    run(play())


def test_who_is_cancelled_while_waiting_is_left_out() -> None:
    async def play() -> None:
        scene = Scene()
        first = await scene.hold()
        asked = [scene.ask(i) for i in (1, 2, 3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        assert await scene.answers(first, asked[0], asked[2]) == [[0], [1], [3]]
        assert scene.engine.calls == [[0], [1, 3]]

    run(play())


def test_who_is_cancelled_while_computed_harms_nobody() -> None:
    async def play() -> None:
        scene = Scene()
        first = await scene.hold()
        asked = [scene.ask(i) for i in (1, 2, 3)]
        await asyncio.sleep(0)
        first.cancel()
        loop = asyncio.get_running_loop()

        async def leave() -> None:
            asked[0].cancel()

        def during(numbers: list[float]) -> None:
            if 1.0 in numbers:
                asyncio.run_coroutine_threadsafe(leave(), loop).result(WAIT_SECONDS)

        scene.engine.during = during
        assert await scene.answers(*asked[1:]) == [[2], [3]]
        assert asked[0].cancelled()
        assert (await scene.answers(scene.ask(4))) == [[4]]

    run(play())


def test_a_call_that_fails_for_several_is_made_again_for_each() -> None:
    async def play() -> None:
        scene = Scene()
        first = await scene.hold()
        scene.engine.refused = {2}
        asked = [scene.ask(i) for i in (1, 2, 3)]
        assert await scene.answers(first, asked[0], asked[2]) == [[0], [1], [3]]
        with pytest.raises(EngineError, match=r"refused \[2\.0\]"):
            await asked[1]
        assert scene.engine.calls == [[0], [1, 2, 3], [1], [2], [3]]

    run(play())


def test_as_many_calls_run_at_once_as_were_allowed() -> None:
    async def play() -> None:
        scene = Scene(calls_at_once=2)
        first, second = await scene.hold(), scene.ask(1)
        await scene.engine.has_begun()
        assert await scene.answers(first, second, scene.ask(2), scene.ask(3)) == [[0], [1], [2], [3]]
        assert scene.engine.calls == [[0], [1], [2, 3]]

    run(play())


def test_a_call_that_does_not_end_keeps_no_other_from_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.batching.LONG_CALL_SECONDS", 0.05)

    async def play() -> None:
        scene = Scene()
        stuck = await scene.hold()
        other = scene.ask(1)
        await scene.engine.has_begun()
        assert not stuck.done()
        assert await scene.answers(stuck, other) == [[0], [1]]

    run(play())


def test_a_batch_grows_until_little_is_saved() -> None:
    assert Cost(0.001, 0.0001).batch_rows(0.0) == pytest.approx(91, abs=1)
    assert Cost(0.001, 0.0001).batch_rows(0.001) == pytest.approx(181, abs=1)
    assert Cost(0.001, 0.1).batch_rows(0.0) == 1
    assert Cost(0.001, 0.0).batch_rows(0.0) == BATCH_ROWS


def test_as_many_rows_are_within_a_time_as_take_no_longer() -> None:
    cost = Cost(0.25, 0.125)
    assert [cost.rows_within(seconds) for seconds in (0.2, 0.25, 0.5, 0.6)] == [0, 1, 3, 3]
    assert Cost(0.25, 0.0).rows_within(0.25) >= 10_000_000
