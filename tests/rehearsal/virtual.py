"""Time that passes only when everybody waits: an event loop whose clock is moved on to the next thing to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_END_SECONDS = 5_000.0


class _Selector(selectors.DefaultSelector):
    """Moves the clock on instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits, and for nothing")
        self.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time`` counts from 0 in seconds that nobody waits."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs it in virtual time, which begins at 0 and ends some time: TimeoutError for what never does."""

    async def in_time() -> T:
        async with asyncio.timeout(_END_SECONDS):
            return await main

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(in_time())
