"""The end of a task's life: still answering, and telling everybody to go elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable


class Drain:
    """Has begun or not, and is over ``hold_seconds`` after it began.

    While it holds, readiness fails and every answer closes its connection, but requests are served, new
    connections too: a balancer may go on sending until it has seen a health check fail. Methods may be called from a
    signal handler.
    """

    def __init__(self, hold_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._hold_seconds = hold_seconds
        self._clock = clock
        self._over_at: float | None = None

    def begin(self) -> None:
        """Begins the hold, unless it has begun."""
        if self._over_at is None:
            self._over_at = self._clock() + self._hold_seconds

    def hasten(self) -> None:
        """Ends the hold now."""
        self._over_at = self._clock()

    @property
    def active(self) -> bool:
        return self._over_at is not None

    @property
    def over(self) -> bool:
        return self._over_at is not None and self._clock() >= self._over_at
