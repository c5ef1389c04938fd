"""Tasks of Fargate's sizes: the service with a task's share of the processor, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.contest import ALPHARD
from benchmarks.machine import processor_share
from benchmarks.measure import ONE_ROW, SOME_ROWS, Form, Scenario, measured_turn, run_rounds, start
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


class Tasks(NamedTuple):
    """By rising share; and the cores that one process keeps busy where it has two, by scenario."""

    measured: list[Task]
    cores_used: dict[Scenario, float]


def measure_tasks(model: ServedModel, form: Form, logs: Path) -> Tasks:
    """A share that the machine cannot give is left out. Raises StartError or WrongAnswerError."""
    form = form._replace(scenarios=SCENARIOS)
    tasks = [task for share in SHARES if (task := _task(share, model, form, logs)) is not None]
    return Tasks(tasks, _cores_used(model, form, logs))


def _task(share: float, model: ServedModel, form: Form, logs: Path) -> Task | None:
    with processor_share(share) as group, ExitStack() as stack:
        if group is None and share < 1:
            return None
        runners = [start(stack, ALPHARD, model, form, logs, group=group)]
        figures = run_rounds(runners, form._replace(seconds=_TURN_SECONDS))
        rates = {scenario: each.rate for (_, scenario), each in figures.items()}
        (tail,) = run_tails(runners, form, {ALPHARD.name: rates[ONE_ROW]})
    return Task(share, rates, tail)


def _cores_used(model: ServedModel, form: Form, logs: Path) -> dict[Scenario, float]:
    used = {}
    with ExitStack() as stack:
        runner = start(stack, ALPHARD, model, form, logs, cores=CORES.all)
        for scenario in SCENARIOS:
            load, seconds = measured_turn(runner, scenario, _TURN_SECONDS)
            used[scenario] = seconds / load.seconds
    return used


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
