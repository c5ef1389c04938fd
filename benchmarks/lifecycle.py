"""How long a start takes, and what memory a server has after it and after many requests."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.contest import ALPHARD, BARE, Contestant
from benchmarks.load import closed_loop
from benchmarks.measure import ONE_ROW, checked_answers
from benchmarks.models import ServedModel
from benchmarks.servers import free_port, started

_READY = b"GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n"
_SETTLED = 10_000


class Memory(NamedTuple):
    """Resident MiB after so many requests."""

    requests: int
    mib: float


class Lifecycle(NamedTuple):
    """Seconds from the process's start to ready, by contestant, one value a round; Alphard's memory."""

    starts: Mapping[str, list[float]]
    memory: list[Memory]

    def start(self, name: str) -> float:
        return statistics.median(self.starts[name])


def measure_lifecycle(model: ServedModel, *, rounds: int, requests: int, logs: Path) -> Lifecycle:
    """``requests`` is how many of one row are answered in the end; memory is looked at after 10,000, too."""
    starts: dict[str, list[float]] = {ALPHARD.name: [], BARE.name: []}
    for _ in range(rounds):
        for contestant in (ALPHARD, BARE):
            starts[contestant.name].append(_start_seconds(contestant, model, logs))
    return Lifecycle(starts, _memory(model, requests, logs))


def _start_seconds(contestant: Contestant, model: ServedModel, logs: Path) -> float:
    port = free_port()
    log = logs / f"start-{contestant.name}.log"
    begun = time.perf_counter()
    with started(contestant.command(model, port), contestant.environment(model, port), _READY, log=log, port=port):
        return time.perf_counter() - begun


def _memory(model: ServedModel, requests: int, logs: Path) -> list[Memory]:
    port = free_port()
    command, environment = ALPHARD.command(model, port), ALPHARD.environment(model, port)
    with started(command, environment, _READY, log=logs / "memory.log", port=port) as server:
        seen = [Memory(0, server.resident_mib())]
        sent, answers = checked_answers(ALPHARD, server, model.asked(ONE_ROW.rows))
        for until in (_SETTLED, requests):
            count = until - seen[-1].requests
            closed_loop([server.address], sent, answers, connections=ONE_ROW.connections, count=count)
            seen.append(Memory(until, server.resident_mib()))
    return seen
