from __future__ import annotations

import numpy as np
import pytest

from service.compile.graph import Tensor
from service.compile.loops import State, repeat
from tests.service.compile.test_lookup import run


def doubled(rows: Tensor, limit: int, going: bool) -> Tensor:
    """Rows doubled until each is above 100."""

    def step(states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        values, counts = states
        grown = values.graph.where(values.greater(100.0), values, values * 2.0)
        small = values.graph.op("ReduceMin", grown, keepdims=0).less_equal(100.0)
        return small, [grown, counts + np.array(1, np.int64)]

    start = rows.graph.constant(np.array(going))
    counts = (rows * 0.0).cast(np.int64)
    values, counts = repeat("doubling", limit, start, [State(rows, (1,)), State(counts, (1,), integer=True)], step)
    return rows.graph.concat([values, counts.cast(np.float64)])


@pytest.mark.parametrize(
    ("limit", "going", "expected"),
    [
        (99, True, [[101.0, 6], [128.0, 6], [120.0, 6]]),
        (2, True, [[101.0, 2], [8.0, 2], [60.0, 2]]),
        (99, False, [[101.0, 0], [2.0, 0], [15.0, 0]]),
    ],
)
def test_a_step_is_made_until_it_says_to_stop_or_the_limit(
    limit: int, going: bool, expected: list[list[float]]
) -> None:
    found = run(lambda rows: doubled(rows, limit, going), np.array([[101.0], [2.0], [15.0]]))
    assert found.tolist() == expected


def test_two_loops_of_one_name_may_stand_in_a_graph() -> None:
    rows = np.array([[3.0]])
    found = run(lambda x: doubled(x, 1, True) + doubled(x, 2, True), rows)
    assert found.tolist() == [[18.0, 3.0]]
