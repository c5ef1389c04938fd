"""Tasks of Fargate's sizes: the service with a task's share of the processor, and what that costs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.contest import ALPHARD
from benchmarks.machine import processor_share
from benchmarks.measure import MANY_ROWS, ONE_ROW, SOME_ROWS, Form, Scenario, measured_turn, run_rounds, start
from benchmarks.models import ServedModel
from benchmarks.servers import CORES
from benchmarks.tails import Tail, run_tails
from stacks.prices import FARGATE_MEMORY, FARGATE_VCPU
from stacks.traffic import HOURS

SHARES = (0.25, 0.5, 1.0)
SCENARIOS = (ONE_ROW, SOME_ROWS)
COUNTS = (1, 2, 4, 10)
VCPUS = (*SHARES, 2.0, 4.0)
ARCHITECTURE = "X86_64"
GB_PER_VCPU = 2
"""The least that Fargate has with each of the sizes looked at; ``stacks.settings`` knows all."""

_SECONDS_A_MONTH = HOURS * 3600
_TURN_SECONDS = 2.0
"""Of a throttled service: many times the tenth of a second in which it has its share."""


class Task(NamedTuple):
    """The service with a share of one core: requests a second by scenario, and latency at half of the first's."""

    share: float
    rates: dict[Scenario, float]
    tail: Tail


class TwoCores(NamedTuple):
    """Requests a second of one process that has one core, and of one that has two, of which it keeps ``busy``."""

    model: str
    scenario: Scenario
    one: float
    two: float
    busy: float


class Tasks(NamedTuple):
    """By rising share; and what a second core gives."""

    measured: list[Task]
    two_cores: list[TwoCores]


def measure_tasks(model: ServedModel, others: Sequence[ServedModel], form: Form, logs: Path) -> Tasks:
    """Shares with the model, and two cores with the others, too. A share that the machine cannot give is left out.

    Raises StartError or WrongAnswerError.
    """
    tasks = [task for share in SHARES if (task := _task(share, model, form, logs)) is not None]
    return Tasks(tasks, [found for each in (model, *others) for found in _two_cores(each, form, logs)])


def _task(share: float, model: ServedModel, form: Form, logs: Path) -> Task | None:
    with processor_share(share) as group, ExitStack() as stack:
        if group is None and share < 1:
            return None
        form = form._replace(scenarios=SCENARIOS)
        runners = [start(stack, ALPHARD, model, form, logs, group=group)]
        figures = run_rounds(runners, form._replace(seconds=_TURN_SECONDS))
        rates = {scenario: each.rate for (_, scenario), each in figures.items()}
        (tail,) = run_tails(runners, form, {ALPHARD.name: rates[ONE_ROW]})
    return Task(share, rates, tail)


def _two_cores(model: ServedModel, form: Form, logs: Path) -> list[TwoCores]:
    """The load stays on its core, which is one of the two."""
    form = form._replace(scenarios=(*SCENARIOS, MANY_ROWS))
    with ExitStack() as stack:
        one = start(stack, ALPHARD, model, form, logs)
        two = start(stack, ALPHARD, model, form, logs, cores=CORES.all)
        found = []
        for scenario in form.scenarios:
            turns = [[measured_turn(each, scenario, form.seconds) for each in (one, two)] for _ in range(form.rounds)]
            with_one, with_two = (statistics.median(turn[i][0].rate for turn in turns) for i in range(2))
            busy = statistics.median(used / load.seconds for _, (load, used) in turns)
            found.append(TwoCores(model.name, scenario, with_one, with_two, busy))
    return found


class Offer(NamedTuple):
    """So many tasks of a size: requests a second by scenario, and dollars a month for the tasks alone."""

    vcpus: float
    tasks: int
    rates: dict[Scenario, float]
    usd: float

    def usd_a_million(self, scenario: Scenario) -> float:
        """Dollars for a million requests, where that rate holds all month."""
        return self.usd / (self.rates[scenario] * _SECONDS_A_MONTH / 1e6)


def offers(tasks: Sequence[Task]) -> list[Offer]:
    """Of each size that was measured, and of the larger ones, where one process does what it does with one core."""
    by_share = {task.share: task for task in tasks}
    return [
        Offer(vcpus, count, {each: rate * count for each, rate in task.rates.items()}, count * _usd_a_month(vcpus))
        for vcpus in VCPUS
        if (task := by_share.get(min(vcpus, SHARES[-1]))) is not None
        for count in COUNTS
    ]


def _usd_a_month(vcpus: float) -> float:
    return HOURS * (vcpus * FARGATE_VCPU[ARCHITECTURE].usd + vcpus * GB_PER_VCPU * FARGATE_MEMORY[ARCHITECTURE].usd)
