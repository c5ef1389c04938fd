from __future__ import annotations

import pytest

from benchmarks.contest import OWN
from benchmarks.measure import SCENARIOS
from benchmarks.results import broken, held_floors, ratios
from tests.benchmarks.finding import results


def test_a_ratio_is_of_medians_and_above_one_where_alphard_is_faster() -> None:
    found = {(each.other, str(each.scenario)): each for each in ratios(results(ours=40, theirs=60))}
    each = found["plain", "1 row x 32"]
    assert (each.rate, each.processor) == pytest.approx((1.5, 1.5))


def test_only_a_ratio_under_its_floor_is_broken() -> None:
    floors = {"logistic": {"1 row x 32": {"plain": 1.2}}}
    assert broken(ratios(results(ours=40, theirs=60)), floors) == []
    (line,) = broken(ratios(results(ours=60, theirs=60)), floors)
    assert line.startswith("logistic, 1 row x 32, against plain: 1.00 times")


def test_every_held_ratio_is_one_that_is_measured() -> None:
    for floors in held_floors().values():
        assert floors.keys() <= {str(scenario) for scenario in SCENARIOS}
        for floor in floors.values():
            assert floor.keys() <= {each.name for each in OWN}
