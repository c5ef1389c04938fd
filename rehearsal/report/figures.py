"""What scenes come to in figures: what was lost, what a protection's absence costs, and what none lost proves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rehearsal.outcomes import Kind
from rehearsal.results import SceneResult

COSTS_NOTHING = "costs nothing"
FAILURES: tuple[Kind, ...] = ("refused", "cut", "late", "wrong")


class Figures(NamedTuple):
    """``latencies`` are p50, p99 and the longest of the answered requests, in milliseconds; None where none was."""

    requests: int
    failed: Mapping[Kind, int]
    fewest_ready: int
    latencies: tuple[float, float, float] | None

    @property
    def failures(self) -> int:
        return sum(self.failed.values())


class Row(NamedTuple):
    """A scene with its figures, and with the row of the same scene under all protections if it lacks one."""

    scene: SceneResult
    figures: Figures
    beside: Row | None

    @property
    def lost(self) -> int:
        """Failed requests besides those that were in the hands of a task that was killed or frozen."""
        return max(0, self.figures.failures - self.scene.allowed_to_fail)

    @property
    def held(self) -> bool:
        """Whether nothing was lost and it ended as expected. Where nothing was asked, nothing was shown."""
        return self.figures.requests > 0 and self.lost == 0 and self.scene.found == self.scene.expected


class Totals(NamedTuple):
    """Of the scenes with all protections on.

    ``excused`` failed in the hands of tasks that were killed or frozen; ``bounded`` are the requests of scenes in which
    none was; ``otherwise`` counts scenes that did not end as expected.
    """

    scenes: int
    requests: int
    lost: int
    excused: int
    bounded: int
    otherwise: int


def rows(results: Sequence[SceneResult]) -> list[Row]:
    """A row for each scene in the order given, but first all that have every protection."""
    protected = [Row(scene, measure(scene), None) for scene in results if scene.without is None]
    exposed = [Row(scene, measure(scene), _beside(scene, protected)) for scene in results if scene.without is not None]
    return protected + exposed


def measure(scene: SceneResult) -> Figures:
    failed = {kind: sum(outcome.kind == kind for outcome in scene.outcomes) for kind in FAILURES}
    answered = sorted(each.latency_seconds * 1000 for each in scene.outcomes if each.kind == "answered")
    latencies = (percentile(answered, 50), percentile(answered, 99), answered[-1]) if answered else None
    return Figures(len(scene.outcomes), failed, fewest_ready(scene), latencies)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent do not exceed. Raises IndexError without values."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def fewest_ready(scene: SceneResult) -> int:
    """How many tasks were ready when the fewest were, from the first request sent to the last."""
    if not scene.outcomes:
        return 0
    sent = [outcome.intended_at for outcome in scene.outcomes]
    begin, end = min(sent), max(sent)
    changes: dict[float, int] = {begin: 0}
    for life in scene.lives:
        for (since, state), (until, _) in zip(life.states, [*life.states[1:], (math.inf, "")], strict=True):
            if state == "ready":
                for moment, change in ((max(since, begin), 1), (max(until, begin), -1)):
                    changes[moment] = changes.get(moment, 0) + change
    ready, fewest = 0, math.inf
    for moment in sorted(moment for moment in changes if moment <= end):
        ready += changes[moment]
        fewest = min(fewest, ready)
    return int(fewest)


def total(table: Sequence[Row]) -> Totals:
    protected = [row for row in table if row.scene.without is None]
    return Totals(
        scenes=len(protected),
        requests=sum(row.figures.requests for row in protected),
        lost=sum(row.lost for row in protected),
        excused=sum(row.figures.failures - row.lost for row in protected),
        bounded=sum(row.figures.requests for row in protected if not row.scene.harmed),
        otherwise=sum(row.scene.found != row.scene.expected for row in protected),
    )


def verdict(row: Row) -> str:
    """In a few words: whether a scene held, or what the absence of its protection costs."""
    if row.scene.without is not None:
        return costs(row)
    if row.held:
        return f"held, {row.figures.failures:,} in hand" if row.scene.harmed else "held"
    faults = [f"lost {row.lost:,}"] if row.lost else []
    faults += ["ended otherwise"] if row.scene.found != row.scene.expected else []
    return ", ".join(faults) or "nothing was sent"


def costs(row: Row) -> str:
    """Requests, ready tasks and another end, as far as they differ from the same scene with the protection."""
    if row.beside is None:
        return "nothing to compare with"
    more = row.figures.failures - row.beside.figures.failures
    fewer = row.beside.figures.fewest_ready - row.figures.fewest_ready
    found = [counted(more, "request")] if more > 0 else []
    found += [counted(fewer, "ready task")] if fewer > 0 else []
    ends = (row.scene.found, row.beside.scene.found)
    told = [f"costs {', '.join(found)}"] if found else []
    told += [f"{ends[0]} instead of {ends[1]}"] if ends[0] != ends[1] else []
    return "; ".join(told) or COSTS_NOTHING


def counted(number: int, noun: str) -> str:
    """ "1 request", "2 requests"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _beside(scene: SceneResult, protected: Sequence[Row]) -> Row | None:
    alike = [row for row in protected if (row.scene.name, row.scene.order) == (scene.name, scene.order)]
    return alike[0] if alike else None
