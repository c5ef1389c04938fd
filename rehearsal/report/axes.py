"""What the panels of a drawing share: time from left to right, and scales that several drawings can have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rehearsal.report.figures import percentile
from rehearsal.results import SceneResult

BIN_SECONDS = 0.5
_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1800)
_MOST_TICKS = 12


class Bin(NamedTuple):
    """What was sent in half a second: requests by kind, answers by model version, their latencies in order, in ms."""

    seconds: float
    kinds: dict[str, int]
    versions: dict[str, int]
    latencies: list[float]

    def latency(self, percent: float) -> float | None:
        return percentile(self.latencies, percent) if self.latencies else None


class Axes(NamedTuple):
    """``seconds`` is where time ends, ``requests`` the most in a bin; latencies are from 10**low to 10**high ms."""

    seconds: float
    requests: int
    low: int
    high: int


class Frame(NamedTuple):
    """Where on the paper time lies, and what scales hold."""

    left: float
    right: float
    axes: Axes

    def x(self, seconds: float) -> float:
        return self.left + (self.right - self.left) * min(max(seconds, 0), self.axes.seconds) / self.axes.seconds

    @property
    def ticks(self) -> list[float]:
        """Round seconds, a dozen at the most."""
        step = next((each for each in _STEPS if self.axes.seconds / each <= _MOST_TICKS), 3600)
        return [float(each) for each in range(0, math.floor(self.axes.seconds) + 1, step)]


def bins(scene: SceneResult) -> list[Bin]:
    """In order of time; those in which nothing was sent are left out."""
    found: dict[int, Bin] = {}
    for outcome in scene.outcomes:
        index = math.floor(outcome.intended_at / BIN_SECONDS)
        each = found.setdefault(index, Bin(index * BIN_SECONDS, {}, {}, []))
        _count(each.kinds, outcome.kind)
        if outcome.version is not None:
            _count(each.versions, outcome.version)
        if outcome.kind == "answered":
            each.latencies.append(outcome.latency_seconds * 1000)
    for each in found.values():
        each.latencies.sort()
    return [found[index] for index in sorted(found)]


def axes_of(scenes: Sequence[SceneResult]) -> Axes:
    """Scales that hold everything that happened in these scenes."""
    drawn = [each for scene in scenes for each in bins(scene)]
    middles = [percentile(each.latencies, 50) for each in drawn if each.latencies]
    longest = [each.latencies[-1] for each in drawn if each.latencies]
    low = math.floor(math.log10(max(0.01, min(middles, default=1))))
    high = math.ceil(math.log10(max(0.01, max(longest, default=10))))
    return Axes(
        seconds=max(1, math.ceil(max(_end(scene) for scene in scenes))),
        requests=max((sum(each.kinds.values()) for each in drawn), default=1),
        low=low,
        high=max(high, low + 1),
    )


def _end(scene: SceneResult) -> float:
    """Without the taking down of its tasks, which comes after the last request."""
    return max([scene.seconds, *(each.intended_at for each in scene.outcomes)])


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
