"""What is done beside the requests where nothing runs between them, as on Lambda.

An execution environment runs while it starts and while it answers a request, and is frozen between. So nothing is left
to tasks in the background: the loader's turns and the metrics' flushes are given their time before and after requests.
The wall clock counts while the environment is frozen; whether the monotonic one does is up to how it is frozen.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from service.app import flush
from service.loader import Loader
from service.telemetry import Metrics
from service.telemetry.logs import Output

LOAD_WAIT_SECONDS = 5.0
"""How long one request may wait for a load. The function's timeout must leave this, and the request's deadline."""

LOOK_WAIT_SECONDS = 1.0
"""How long requests may wait for the store to say where the alias points, if there is a model to answer with."""

LOADS_WAIT_SECONDS = 20.0
"""How long all requests together may wait for a load, if there is a model to answer with."""

STALE_SECONDS = 20.0
"""A load that was frozen for longer is begun anew: its connections are gone, and its deadline counted the time."""

_LOGGER = logging.getLogger("alphard.upkeep")


class Follower:
    """Gives the loader its turns, each begun when it is due, while a request waits or is answered."""

    def __init__(self, loader: Loader, clock: Callable[[], float] = time.time) -> None:
        self._loader = loader
        self._clock = clock
        self._turn: asyncio.Task[float | None] | None = None
        self._waited = 0.0
        self._pause: float | None = 0.0
        self._ended_at = self._seen_at = clock()

    def is_idle(self) -> bool:
        """Whether nothing is under way or due."""
        return self._turn is None and (self._pause is None or abs(self._clock() - self._ended_at) < self._pause)

    async def follow(self, seconds: float) -> None:
        """Goes on with the turn that is under way, or begins one; waits for it, but not for longer than this.

        With a model to answer with, waits for less; then the turn goes on while requests are answered.
        """
        await self._drop_stale()
        if self._turn is None:
            self._turn, self._waited = asyncio.create_task(self._loader.turn()), 0.0
        if self._loader.status.model is None:
            await self._wait(seconds)
            return
        await self._wait(min(seconds, LOOK_WAIT_SECONDS - self._waited))
        if self._loader.fetching:
            await self._wait(min(seconds, LOADS_WAIT_SECONDS - self._waited))

    def leave(self) -> None:
        """Says that from now on the environment may be frozen."""
        self._seen_at = self._clock()

    async def _wait(self, seconds: float) -> None:
        if self._turn is None:
            return
        before = self._clock()
        await asyncio.wait({self._turn}, timeout=max(seconds, 0))
        self._waited += abs(self._clock() - before)
        if self._turn.done():
            self._pause, self._turn, self._ended_at = self._turn.result(), None, self._clock()

    async def _drop_stale(self) -> None:
        if self._turn is not None and abs(self._clock() - self._seen_at) > STALE_SECONDS:
            _LOGGER.info("load begun anew", extra={"event": "load_begun_anew"})
            self._turn.cancel()
            await asyncio.wait({self._turn})
            self._turn = None


class Flusher:
    """Writes the figures after a request, if the last were written long enough ago.

    Those that the last of a burst of requests leave behind are written with the time of that burst, before the next
    request or at the end of the environment.
    """

    def __init__(
        self, metrics: Metrics, output: Output, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._metrics = metrics
        self._output = output
        self._seconds = seconds
        self._clock = clock
        self._flushed_at = float("-inf")
        self._changed_at: float | None = None

    def note(self) -> None:
        """Says that there are new figures."""
        self._changed_at = self._clock()

    def flush_old(self) -> None:
        """Writes the new figures if they came long ago."""
        if self._changed_at is not None and self._is_over(self._changed_at):
            self.flush()

    def flush_due(self) -> None:
        """Writes the new figures if the last were written long ago."""
        if self._is_over(self._flushed_at):
            self.flush()

    def flush(self) -> None:
        """Writes the new figures, if there are any."""
        if self._seconds > 0 and self._changed_at is not None:
            flush(self._metrics, self._output, self._changed_at)
            self._changed_at, self._flushed_at = None, self._clock()

    def _is_over(self, since: float) -> bool:
        return abs(self._clock() - since) >= self._seconds
