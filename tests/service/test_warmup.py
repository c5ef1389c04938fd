from __future__ import annotations

import time

import numpy as np
import pytest

from service.batching import BATCH_ROWS, HANDOVER_SECONDS, Cost
from service.bundle import Answers, Outputs, Rows
from service.warmup import MANY_ROWS, is_batchable, warm

ROWS = Rows(np.arange(15.0).reshape(5, 3), np.empty((5, 0), np.object_))
OUTPUTS = Outputs(dtype="float64")


class Company:
    """Answers each row by itself, or with a last bit that depends on how many there are."""

    def __init__(self, changes_from: int = BATCH_ROWS + 1, seconds_a_row: float = 0.0) -> None:
        self.changes_from = changes_from
        self.seconds_a_row = seconds_a_row
        self.calls: list[int] = []

    def predict(self, rows: Rows, **_: bool) -> Answers:
        numbers = rows.numbers[:, 0]
        self.calls.append(len(numbers))
        time.sleep(len(numbers) * self.seconds_a_row)
        return Answers(np.nextafter(numbers, np.inf) if len(numbers) >= self.changes_from else numbers)


@pytest.mark.parametrize(
    ("cost", "largest"), [(Cost(1e-5, 1e-7), BATCH_ROWS), (Cost(1e-3, 0.0), BATCH_ROWS), (Cost(1e-4, 1e-5), 181)]
)
def test_company_must_change_no_bit_up_to_the_largest_batch(cost: Cost, largest: int) -> None:
    assert cost.batch_rows(HANDOVER_SECONDS) == largest
    for changes_from in (2, 3, 6, 16, largest):
        assert not is_batchable(Company(changes_from), ROWS, OUTPUTS, cost)
    assert is_batchable(Company(largest + 1), ROWS, OUTPUTS, cost)


def test_finding_out_may_not_take_long() -> None:
    engine = Company()
    assert not is_batchable(engine, ROWS, OUTPUTS, Cost(0.4, 0.0))
    assert engine.calls == []


def test_the_cost_comes_from_one_row_and_from_many() -> None:
    engine = Company()
    cost = warm(engine, ROWS)
    assert engine.calls == [1] * 4 + [5] * 4 + [MANY_ROWS] * 4
    assert cost.first > 0
    assert cost.further >= 0


def test_a_slow_engine_is_not_timed_with_many_rows() -> None:
    engine = Company(seconds_a_row=0.01)
    cost = warm(engine, ROWS)
    assert engine.calls == [1] * 4 + [5] * 4
    assert cost.further > 0


def test_of_a_single_row_each_costs_the_same() -> None:
    cost = warm(Company(), ROWS.take(slice(1)))
    assert cost.of(3) == pytest.approx(3 * cost.first)
