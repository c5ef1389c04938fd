"""Results as a run may have found them."""

from __future__ import annotations

from benchmarks.lifecycle import Lifecycle, Memory
from benchmarks.measure import ONE_ROW, SCENARIOS, SOME_ROWS, Figures
from benchmarks.processes import COUNTS, Fleet, Fleets, Sample
from benchmarks.processes import SCENARIOS as PROCESSES
from benchmarks.profiles import Profile
from benchmarks.results import ModelResults, Results
from benchmarks.scale import Scale
from benchmarks.tails import Tail, Turn
from benchmarks.tasks import Task, Tasks, TwoCores


def tails() -> list[Tail]:
    """Alphard's at two rates, with one turn that was disturbed, and the plain callable's at the smaller."""
    turns = [Turn(0.5, 1.0, disturbed=False), Turn(5.0, 90.0, disturbed=True), Turn(0.7, 2.0, disturbed=False)]
    return [
        Tail("alphard", 500.0, turns),
        Tail("alphard", 800.0, [Turn(1.0, 4.0, disturbed=False)]),
        Tail("plain", 500.0, [Turn(0.5, 3.0, disturbed=False)]),
        Tail("ray", 9.0, [Turn(9.0, 24.0, disturbed=True)]),
    ]


def scale() -> Scale:
    """Of a service that costs 100 us a request whatever the number of processes, and has no groups under one core."""
    fleets = [Fleet(PROCESSES[0], "the load", count, [Sample(1000.0 * count, 100, 0, 20)]) for count in COUNTS]
    task = Task(1.0, {ONE_ROW: 10_000.0, SOME_ROWS: 2_000.0}, Tail("alphard", 5000.0, [Turn(0.2, 0.9, False)]))
    return Scale(
        Fleets(fleets, dict.fromkeys(COUNTS, 60.0)), Tasks([task], [TwoCores("forest", SOME_ROWS, 1000, 1800, 1.9)])
    )


def profiles() -> list[Profile]:
    return [Profile(ONE_ROW, {"`run`, service/server.py": 0.75, "`encode`, service/codec.py": 0.2})]


def results(ours: float, theirs: float) -> Results:
    """Microseconds a request of the processor, in every scenario."""
    figures = {
        (name, scenario): Figures([1e6 / used, 0.9e6 / used, 2e6 / used], [used, used, 2 * used])
        for name, used in (("alphard", ours), ("plain", theirs), ("noop", 10.0), ("ray", 9000.0))
        for scenario in SCENARIOS
    }
    lifecycle = Lifecycle({"alphard": [1.0], "bare": [0.8]}, [Memory(0, 90.0), Memory(10_000, 91.0)])
    models = {"logistic": ModelResults("onnx", figures, tails())}
    return Results(models, lifecycle, {"mlflow": "no wheel for this Python"})
