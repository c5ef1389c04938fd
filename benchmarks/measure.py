"""Scenarios, and rounds of them in which the contestants take turns."""

from __future__ import annotations

import json
import statistics
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.contest import Contestant
from benchmarks.load import Load, WrongAnswerError, ask, closed_loop
from benchmarks.models import Asked, ServedModel
from benchmarks.servers import CORES, Server, free_port, started


class Scenario(NamedTuple):
    """Requests of so many rows by so many connections, each sent when the one before is answered."""

    rows: int
    connections: int

    def __str__(self) -> str:
        return f"{self.rows:,} row{'s' if self.rows > 1 else ''} x {self.connections}"


ONE_ROW = Scenario(1, 32)
SOME_ROWS, MANY_ROWS = Scenario(64, 8), Scenario(1024, 4)
SCENARIOS = (ONE_ROW, Scenario(1, 1), SOME_ROWS, MANY_ROWS)


class Form(NamedTuple):
    """How much is measured: rounds, and seconds of each contestant's turn in one."""

    rounds: int
    seconds: float
    scenarios: Sequence[Scenario] = SCENARIOS


class Figures(NamedTuple):
    """What one contestant did with one scenario, one value a round."""

    rates: list[float]
    processor_microseconds: list[float]

    def add(self, load: Load, processor_seconds: float) -> None:
        self.rates.append(load.rate)
        self.processor_microseconds.append(processor_seconds / len(load.latencies) * 1e6)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def processor(self) -> float:
        """Microseconds of the processor a request, of the server."""
        return statistics.median(self.processor_microseconds)

    @property
    def spread(self) -> float:
        """Of the rates, the largest less the smallest, as a part of the median: how much the machine was disturbed."""
        return (max(self.rates) - min(self.rates)) / self.rate


Cell = tuple[str, Scenario]
"""A contestant's name and a scenario."""


class Runner(NamedTuple):
    """A contestant whose server runs, with requests and answers by the scenario's rows."""

    contestant: Contestant
    server: Server
    checked: dict[int, tuple[list[bytes], list[bytes]]]


def checked_answers(contestant: Contestant, server: Server, asked: Sequence[Asked]) -> tuple[list[bytes], list[bytes]]:
    """Requests, and the server's answers to them, which predict what the estimator does. Raises WrongAnswerError."""
    requests = [contestant.request(each.rows) for each in asked]
    answers = [ask(server.address, request) for request in requests]
    if contestant.predictions is not None:
        for answer, each in zip(answers, asked, strict=True):
            if contestant.predictions(json.loads(answer)) != each.predictions:
                raise WrongAnswerError(f"{contestant.title}: {answer[:200].decode()}")
    return requests, answers


def start(
    stack: ExitStack,
    contestant: Contestant,
    model: ServedModel,
    form: Form,
    logs: Path,
    *,
    cores: Collection[int] = (CORES.server,),
    group: Path | None = None,
) -> Runner:
    """Starts its server until the stack ends, and checks its answers. Raises StartError or WrongAnswerError."""
    port = free_port()
    running = started(
        contestant.command(model, port),
        contestant.environment(model, port),
        contestant.request(model.asked(1)[0].rows),
        log=logs / f"{model.name}-{contestant.name}.log",
        port=port,
        seconds=contestant.start_seconds,
        cores=cores,
        group=group,
    )
    server = stack.enter_context(running)
    sizes = {scenario.rows for scenario in form.scenarios}
    return Runner(
        contestant, server, {rows: checked_answers(contestant, server, model.asked(rows)) for rows in sorted(sizes)}
    )


def run_rounds(runners: Sequence[Runner], form: Form) -> dict[Cell, Figures]:
    """All scenarios; in each round every contestant has one turn, so that what disturbs the machine disturbs all."""
    figures: dict[Cell, Figures] = {}
    for scenario in form.scenarios:
        for runner in runners:
            figures[runner.contestant.name, scenario] = Figures([], [])
            _turn(runner, scenario, form.seconds / 4)  # warm
        for _ in range(form.rounds):
            for runner in runners:
                figures[runner.contestant.name, scenario].add(*measured_turn(runner, scenario, form.seconds))
    return figures


def measured_turn(runner: Runner, scenario: Scenario, seconds: float) -> tuple[Load, float]:
    """With the seconds of the processor that the server used."""
    before = runner.server.processor_seconds()
    load = _turn(runner, scenario, seconds)
    return load, runner.server.processor_seconds() - before


def _turn(runner: Runner, scenario: Scenario, seconds: float) -> Load:
    requests, answers = runner.checked[scenario.rows]
    return closed_loop([runner.server.address], requests, answers, connections=scenario.connections, seconds=seconds)
