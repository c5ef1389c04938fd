"""Latency at half of the capacity, in turns of which those that the machine disturbed do not count."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.contest import ALPHARD, PLAIN
from benchmarks.load import open_loop
from benchmarks.machine import Moment
from benchmarks.measure import ONE_ROW, Form, Runner
from benchmarks.servers import CORES

_CONNECTIONS = 64
_TIMES_THE_SECONDS = 4
"""So much longer than a turn of a closed loop, as one request in a hundred is looked for."""

_TIMES_THE_ROUNDS = 4
"""After so many times the rounds, what was disturbed is not tried again."""

# A disturbance of one request in a hundred is all that a 99th percentile shows; what the kernel tells of a core is in
# hundredths of a second.
_LOAD_WAITED, _OTHERS_USED = 0.005, 0.03


class Turn(NamedTuple):
    """Milliseconds from the intended moment of sending, of half of the requests and of all but one in a hundred."""

    p50: float
    p99: float
    disturbed: bool


class Tail(NamedTuple):
    """Of a contestant at so many requests a second."""

    contestant: str
    rate: float
    turns: list[Turn]

    @property
    def counted(self) -> list[Turn]:
        """Those that were not disturbed; all, if each was."""
        return self.undisturbed or self.turns

    @property
    def undisturbed(self) -> list[Turn]:
        return [each for each in self.turns if not each.disturbed]

    @property
    def p50(self) -> float:
        return statistics.median(each.p50 for each in self.counted)

    @property
    def p99(self) -> float:
        return statistics.median(each.p99 for each in self.counted)


def run_tails(runners: Sequence[Runner], form: Form, capacities: Mapping[str, float]) -> list[Tail]:
    """Requests of one row at half of each contestant's capacity, of which ``capacities`` has requests a second.

    Who can do more than the slower of Alphard and the plain callable has turns at half of the latter's capacity, too,
    so that these are compared at one rate.
    """
    common = min(capacities.get(each.name, math.inf) for each in (ALPHARD, PLAIN))
    found = [
        (runner, Tail(runner.contestant.name, rate, []))
        for runner in runners
        for own in (capacities[runner.contestant.name],)
        for rate in sorted({min(own, common) / 2, own / 2})
    ]
    for _ in range(form.rounds * _TIMES_THE_ROUNDS):
        for runner, tail in found:
            if len(tail.undisturbed) < form.rounds:
                tail.turns.append(_turn(runner, tail.rate, form.seconds * _TIMES_THE_SECONDS))
    return [tail for _, tail in found]


def _turn(runner: Runner, rate: float, seconds: float) -> Turn:
    requests, answers = runner.checked[ONE_ROW.rows]
    before, used_before = Moment.of(CORES.server), runner.server.processor_seconds()
    load = open_loop([runner.server.address], requests, answers, connections=_CONNECTIONS, rate=rate, seconds=seconds)
    now, used = Moment.of(CORES.server), runner.server.processor_seconds() - used_before
    took = now.clock - before.clock
    others = took - (now.idle - before.idle) - used
    disturbed = now.waited - before.waited > _LOAD_WAITED * took or others > _OTHERS_USED * took
    return Turn(load.percentile(50) * 1000, load.percentile(99) * 1000, disturbed)
