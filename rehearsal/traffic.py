"""Requests at a constant rate, whatever becomes of those before: ``python -m rehearsal.traffic`` in its own process.

Each is sent at its intended moment and its latency counts from there, so that a stall shows in every request that it
held up (Gil Tene's coordinated omission: https://www.azul.com/files/HowNotToMeasureLatency_LLSummit_NYC_12Nov2013.pdf).
A request never waits for a connection: it takes one that is idle, or makes a new one. Nothing is ever sent again.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import uvloop

from rehearsal.client import Answer, Client, Connection
from rehearsal.errors import RehearsalError
from rehearsal.exam import Exam
from rehearsal.outcomes import Outcome

KEPT_SECONDS = 20.0
"""How long a client keeps an idle connection: well under any balancer's idle timeout, so that only the balancer's own
connections to the targets can go stale."""

NEW_CONNECTION_EVERY, LARGE_EVERY = 5, 9
"""Of five requests one comes on a connection of its own, of nine one is large; so some are both."""


class Plan(NamedTuple):
    """Where to and how often, from ``started_at``, a reading of ``time.monotonic``."""

    port: int
    rate: float
    started_at: float
    exam: str
    found: str


class Sender:
    """Sends the exam's bodies in turn."""

    def __init__(self, plan: Plan, exam: Exam) -> None:
        self.client = Client(plan.port, exam, plan.started_at)
        self._plan = plan
        self._small = [i for i, rows in enumerate(exam.rows) if rows == 1]
        self._large = [i for i, rows in enumerate(exam.rows) if rows > 1]
        self._idle: list[Connection] = []

    async def run(self, stopped: asyncio.Event) -> None:
        """Until it is stopped; then waits for the answers that are still to come."""
        number = math.ceil((time.monotonic() - self._plan.started_at) * self._plan.rate)
        under_way: set[asyncio.Task[None]] = set()
        while not stopped.is_set():
            intended_at = self._plan.started_at + number / self._plan.rate
            if (pause := intended_at - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            keep = number % NEW_CONNECTION_EVERY != 0
            asking = self.client.ask(
                self._index(number), intended_at, partial(self._exchange, keep=keep), kept_alive=keep
            )
            task = asyncio.create_task(asking)
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            number += 1
        await asyncio.gather(*under_way)
        for connection in self._idle:
            connection.close()

    def _index(self, number: int) -> int:
        if number % LARGE_EVERY == 0:
            return self._large[number // LARGE_EVERY % len(self._large)]
        return self._small[number % len(self._small)]

    async def _exchange(self, request: bytes, *, keep: bool) -> Answer:
        connection = (self._take() if keep else None) or await Connection.open(self._plan.port)
        try:
            answer = await connection.send(request)
        except BaseException:  # above all its time being up: an answer that comes later must not meet another request
            connection.close()
            raise
        if keep and connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _take(self) -> Connection | None:
        """The one that was used last; those that have been idle for too long are closed."""
        oldest = time.monotonic() - KEPT_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since > oldest:
                return connection
            connection.close()
        return None


class Traffic(NamedTuple):
    """A sender's process, and the file into which it will write."""

    process: asyncio.subprocess.Process
    found: Path

    async def stop(self) -> list[Outcome]:
        """What became of each request, in the order in which they were to be sent. Raises RehearsalError."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if await self.process.wait() != 0:
            raise RehearsalError("the traffic ended by an error of its own: see above")
        return sorted((Outcome(*values) for values in json.loads(self.found.read_text())), key=lambda each: each[:2])


@asynccontextmanager
async def traffic(folder: Path, *, port: int, rate: float, started_at: float, exam: Path) -> AsyncIterator[Traffic]:
    """Requests of ``exam`` to this port of loopback, ``rate`` a second, until stopped or the block is left."""
    plan = Plan(port, rate, started_at, str(exam), str(folder / "outcomes.json"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rehearsal.traffic", json.dumps(plan), stdin=asyncio.subprocess.PIPE
    )
    try:
        yield Traffic(process, Path(plan.found))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _main(plan: Plan) -> None:
    sender = Sender(plan, Exam.read(Path(plan.exam)))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stopped.set)
    gc.collect()
    gc.freeze()  # a collection would hold requests up, and be taken for a stall of what is rehearsed
    gc.disable()
    await sender.run(stopped)
    Path(plan.found).write_text(json.dumps(sender.client.outcomes))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(Plan(*json.loads(sys.argv[1]))))
