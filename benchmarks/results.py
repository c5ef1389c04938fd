"""What a run found, the ratios in it, and those that the repository holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.lifecycle import Lifecycle
from benchmarks.measure import Cell, Figures, Scenario
from benchmarks.tails import Tail

HELD = Path(__file__).parent / "held.json"

Floors = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By model, scenario and the other contestant: the least ratio."""


class ModelResults(NamedTuple):
    """Of one model: the engine that Alphard serves it by, and what was measured."""

    engine: str
    figures: dict[Cell, Figures]
    tails: list[Tail]


class Results(NamedTuple):
    """By the model's name; peers that are left out with the reason."""

    models: dict[str, ModelResults]
    lifecycle: Lifecycle
    left_out: dict[str, str]


class Ratio(NamedTuple):
    """Alphard to another: how many times as many requests a second, and how many a second of the processor."""

    model: str
    scenario: Scenario
    other: str
    rate: float
    processor: float


def ratios(results: Results) -> list[Ratio]:
    """Of Alphard to every other contestant, in every scenario that both did."""
    found = []
    for model, measured in results.models.items():
        for (name, scenario), other in measured.figures.items():
            ours = measured.figures["alphard", scenario]
            if name != "alphard":
                found.append(
                    Ratio(model, scenario, name, ours.rate / other.rate, other.processor / max(ours.processor, 0.01))
                )
    return found


def held_floors() -> Floors:
    """The least ratios of processor time that the repository says hold."""
    floors: Floors = json.loads(HELD.read_text())
    return floors


def broken(found: list[Ratio], floors: Floors) -> list[str]:
    """One line for each ratio that is under its floor. Ratios of processor time: of rates, other loads decide, too."""
    lines = []
    for each in found:
        floor = floors.get(each.model, {}).get(str(each.scenario), {}).get(each.other, 0.0)
        if each.processor < floor:
            what = f"{each.model}, {each.scenario}, against {each.other}"
            lines.append(f"{what}: {each.processor:.2f} times as many requests a processor second, held is {floor:.2f}")
    return lines
