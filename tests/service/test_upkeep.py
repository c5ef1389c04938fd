from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from service.loader import Loader, Status
from service.telemetry import Metrics
from service.telemetry.logs import Output
from service.upkeep import LOADS_WAIT_SECONDS, LOOK_WAIT_SECONDS, STALE_SECONDS, Flusher, Follower
from tests.serving import FakeModel

MODEL = Status(FakeModel(), None, None)
NO_MODEL = Status(None, "loading", "fetching")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class TurnLoader(Loader):
    """Whose turns end when the test says so."""

    def __init__(self, status: Status, pause: float | None = 30.0) -> None:
        self.now, self.pause, self.found = status, pause, False
        self.begun = self.cancelled = 0
        self.may_end = asyncio.Event()

    @property
    def status(self) -> Status:
        return self.now

    @property
    def fetching(self) -> bool:
        return self.found

    async def turn(self) -> float | None:
        self.begun += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.pause


class Waits:
    """Lets time pass as if every wait took as long as it was allowed to, and notes how long that was."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.allowed: list[float] = []

        async def wait(tasks: set[asyncio.Task[Any]], timeout: float | None = None) -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if timeout is not None and not all(task.done() for task in tasks):
                self.allowed.append(timeout)
                clock.now += timeout

        monkeypatch.setattr("service.upkeep.asyncio.wait", wait)


async def requests(follower: Follower, count: int) -> None:
    for _ in range(count):
        await follower.follow(5)
        follower.leave()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Waits:
    return Waits(clock, monkeypatch)


def test_a_turn_is_due_at_the_start_and_after_each_pause(clock: Clock) -> None:
    async def scene() -> None:
        loader = TurnLoader(MODEL)
        loader.may_end.set()
        follower = Follower(loader, clock)
        assert not follower.is_idle()
        await follower.follow(5)
        assert follower.is_idle()
        clock.now += 29
        assert follower.is_idle()
        clock.now += 2
        assert not follower.is_idle()
        clock.now -= 3600  # the clock was set: better one turn too many than none for an hour
        assert not follower.is_idle()

    asyncio.run(scene())


def test_after_the_last_turn_of_a_pinned_version_none_is_due(clock: Clock) -> None:
    async def scene() -> None:
        loader = TurnLoader(MODEL, pause=None)
        loader.may_end.set()
        follower = Follower(loader, clock)
        await follower.follow(5)
        clock.now += 1e9
        assert follower.is_idle()

    asyncio.run(scene())


def test_without_a_model_each_request_waits_as_long_as_it_may(clock: Clock, waits: Waits) -> None:
    async def scene() -> None:
        loader = TurnLoader(NO_MODEL)
        follower = Follower(loader, clock)
        await requests(follower, 9)
        assert waits.allowed == [5] * 9
        assert loader.begun == 1

    asyncio.run(scene())


def test_with_a_model_a_store_that_does_not_answer_costs_requests_little(clock: Clock, waits: Waits) -> None:
    async def scene() -> None:
        loader = TurnLoader(MODEL)
        follower = Follower(loader, clock)
        await requests(follower, 9)
        assert sum(waits.allowed) == LOOK_WAIT_SECONDS
        loader.may_end.set()
        await follower.follow(5)
        assert follower.is_idle()

    asyncio.run(scene())


def test_with_a_model_requests_together_wait_a_bounded_time_for_another(clock: Clock, waits: Waits) -> None:
    async def scene() -> None:
        loader = TurnLoader(MODEL)
        loader.found = True
        follower = Follower(loader, clock)
        await requests(follower, 9)
        assert sum(waits.allowed) == LOADS_WAIT_SECONDS
        assert max(waits.allowed) <= 5

    asyncio.run(scene())


@pytest.mark.parametrize(("frozen_seconds", "anew"), [(STALE_SECONDS - 1, False), (STALE_SECONDS + 1, True)])
def test_a_load_that_was_frozen_for_long_is_begun_anew(
    clock: Clock, waits: Waits, frozen_seconds: float, anew: bool
) -> None:
    async def scene() -> None:
        loader = TurnLoader(NO_MODEL)
        follower = Follower(loader, clock)
        await follower.follow(5)
        follower.leave()
        clock.now += frozen_seconds
        await follower.follow(5)
        assert (loader.begun, loader.cancelled) == ((2, 1) if anew else (1, 0))

    asyncio.run(scene())


class Written(io.StringIO):
    def figures(self) -> list[tuple[float, float]]:
        """The counter of each document, with the time it was written with."""
        found = map(json.loads, self.getvalue().splitlines())
        return [(line["requests"], line["_aws"]["Timestamp"] / 1000) for line in found]


def test_figures_are_written_at_most_once_in_a_while_and_with_their_time(clock: Clock) -> None:
    written, metrics = Written(), Metrics()
    flusher = Flusher(metrics, Output("json", written), 60, clock)

    def request() -> None:
        flusher.flush_old()
        metrics.count("requests")
        flusher.note()
        flusher.flush_due()

    start = clock.now
    for _ in range(3):
        request()
        clock.now += 1
    assert written.figures() == [(1, start)]
    clock.now = start + 600
    request()
    assert written.figures() == [(1, start), (2, start + 2)]
    flusher.flush()
    flusher.flush()
    assert written.figures() == [(1, start), (2, start + 2), (1, start + 600)]


def test_without_a_period_no_figures_are_written(clock: Clock) -> None:
    written, metrics = Written(), Metrics()
    flusher = Flusher(metrics, Output("json", written), 0, clock)
    metrics.count("requests")
    flusher.note()
    flusher.flush_due()
    flusher.flush()
    assert written.figures() == []
