"""Engine calls in worker threads: what arrives while they run forms the next one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import partial
from typing import NamedTuple

from service.bundle import Answers, Rows

HANDOVER_SECONDS = 1e-4
"""What it costs to hand a call to a thread and its answers back."""

BATCH_ROWS = 2048
"""No batch holds more: so far is it measured that company changes no answer (see ``warmup.is_batchable``)."""

ROWS_LIMIT = 1 << 30
"""More than any request holds."""

LONG_CALL_SECONDS = 0.5
"""A call that takes longer is not waited for: the next may run beside it."""

_ROWS_SHARE = 9  # of a batch's time, for one part of what a call costs by itself


class Cost(NamedTuple):
    """What a call takes, in seconds: for its first row, and for each further one."""

    first: float
    further: float

    def of(self, rows: int) -> float:
        return self.first + (rows - 1) * self.further

    def rows_within(self, seconds: float) -> int:
        """The most rows that take no longer, 0 if one does; no more than ``ROWS_LIMIT``."""
        if self.first > seconds:
            return 0
        left = seconds - self.first
        return ROWS_LIMIT if self.further * ROWS_LIMIT <= left else 1 + int(left / self.further)

    def batch_rows(self, overhead_seconds: float) -> int:
        """Rows at which a call, with so much besides, comes to nine tenths of its best rate.

        With more, each waits longer for the others, and less is saved than it costs to put the rows together.
        """
        return min(BATCH_ROWS, self.rows_within(self.first + _ROWS_SHARE * (self.first + overhead_seconds)))


class Wanted(NamedTuple):
    """What is asked of the engine beside predictions; only requests that want the same share a call."""

    probabilities: bool
    decision_values: bool


Call = Callable[[Sequence[Rows], Wanted], Sequence[Answers]]


class _Waiting(NamedTuple):
    rows: Rows
    wanted: Wanted
    deadline: float
    answers: asyncio.Future[Answers]
    context: Context
    alone: bool = False


class Batcher:
    """Runs an engine's long calls, so many at once, in the event loop's worker threads.

    Nobody waits for a timer: a call begins as soon as it may, with what waits then. Whoever is cancelled while waiting
    is left out, and while its call runs harms nobody: the others are answered.
    """

    def __init__(self, call: Call, cost: Cost, *, batch_rows: int, calls_at_once: int) -> None:
        """``call`` answers each part from one call of the engine; several parts only where these have no more than
        ``batch_rows`` in all."""
        self._call = call
        self._cost = cost
        self._batch_rows = batch_rows
        self._calls_at_once = calls_at_once
        self._waiting: list[_Waiting] = []
        self._running: set[asyncio.Future[Sequence[Answers]]] = set()

    async def predict(self, rows: Rows, wanted: Wanted, deadline: float) -> Answers:
        """Answers, one for each row; raises what the engine raises for these rows.

        ``deadline``, in seconds of ``time.perf_counter``, is when the caller will have given up.
        """
        answers = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(rows, wanted, deadline, answers, copy_context()))
        self._start()
        result: Answers = await answers
        return result

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        while len(self._running) < self._calls_at_once and (batch := self._next_batch()):
            # A line that is written meanwhile carries the request's id; where there are several, none.
            run = batch[0].context.run if len(batch) == 1 else Context().run
            call = loop.run_in_executor(None, run, self._call, [each.rows for each in batch], batch[0].wanted)
            self._running.add(call)
            overdue = loop.call_later(LONG_CALL_SECONDS, self._overtake, call)
            call.add_done_callback(partial(self._finish, batch, overdue))

    def _next_batch(self) -> list[_Waiting]:
        """The first that waits, and with it those that want the same, as many as are worth it and the first has time
        for. None if nobody waits."""
        waiting = [each for each in self._waiting if not each.answers.done()]  # not cancelled
        if not waiting:
            self._waiting = []
            return []
        first, *others = waiting
        batch, rest, rows = [first], [], len(first.rows.numbers)
        seconds_left = first.deadline - time.perf_counter()
        for each in others:
            together = rows + len(each.rows.numbers)
            willing = first.wanted == each.wanted and not (first.alone or each.alone)
            if willing and together <= self._batch_rows and self._cost.of(together) < seconds_left:
                batch.append(each)
                rows = together
            else:
                rest.append(each)
        self._waiting = rest
        return batch

    def _overtake(self, call: asyncio.Future[Sequence[Answers]]) -> None:
        self._running.discard(call)
        self._start()

    def _finish(
        self, batch: list[_Waiting], overdue: asyncio.TimerHandle, call: asyncio.Future[Sequence[Answers]]
    ) -> None:
        overdue.cancel()
        self._running.discard(call)
        if call.cancelled():  # the worker threads are being shut down
            for each in batch:
                each.answers.cancel()
        elif (error := call.exception()) is None:
            for each, answers in zip(batch, call.result(), strict=True):
                if not each.answers.done():
                    each.answers.set_result(answers)
        elif len(batch) > 1:  # whose fault it is, shows when each is answered by itself
            self._waiting[:0] = [each._replace(alone=True) for each in batch]
        elif not batch[0].answers.done():
            batch[0].answers.set_exception(error)
        self._start()
