from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from service.compile import lookup
from service.compile.graph import Graph, Tensor, UnsupportedError

RANDOM = np.random.default_rng(0)


def run(build: Callable[[Tensor], Tensor], rows: NDArray[np.float64], vocabularies: Any = None) -> NDArray[Any]:
    graph = Graph(vocabularies or [None] * rows.shape[1])
    session = onnxruntime.InferenceSession(graph.build({"found": build(graph.rows)}, features=rows.shape[1]))
    answer: NDArray[Any] = session.run(None, {"rows": rows})[0]
    return answer


def test_edges_at_or_below_a_value_are_counted_in_tables_of_any_size() -> None:
    edges = [np.sort(RANDOM.normal(size=size)) for size in (0, 1, 2, 7, 1000)]
    edges[2][:] = 0.5
    rows = RANDOM.normal(size=(1000, 5))
    rows[:, 4] = RANDOM.permutation(edges[4])
    rows[:3] = [[0.5], [-np.inf], [np.inf]]
    expected = np.column_stack([np.searchsorted(e, rows[:, j], side="right") for j, e in enumerate(edges)])
    np.testing.assert_array_equal(run(lambda x: lookup.count_edges(x, edges), rows), expected)


def test_interpolation_is_numpys_on_edges_between_them_and_beyond() -> None:
    x = np.sort(RANDOM.normal(size=50))
    x[:5], x[10:20], x[-5:] = x[0], x[10], x[-1]
    y = RANDOM.normal(size=50)
    rows = np.concatenate([x, RANDOM.normal(size=500), [1e300, -1e300, 1.7e308, -1.7e308, np.nan]])[:, None]
    found = run(lambda v: lookup.interpolate(v, [x], [y]), rows)
    np.testing.assert_array_equal(found[:, 0], np.interp(rows[:, 0], x, y))


def test_a_table_that_is_not_finite_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="not finite"):
        run(lambda v: lookup.interpolate(v, [np.array([0.0, np.nan])], [np.zeros(2)]), np.zeros((1, 1)))


def test_a_value_between_bounds_stays_and_so_does_nan() -> None:
    rows = np.array([[-1.0], [0.5], [2.0], [np.nan]])
    np.testing.assert_array_equal(run(lambda v: lookup.clip(v, 0.0, 1.0), rows), [[0.0], [0.5], [1.0], [np.nan]])


def test_codes_numbers_and_missing_values_are_looked_up_side_by_side() -> None:
    categories = [np.array([0.5, 2.0]), np.array(["b", "a", None], object), np.array([False, True, np.nan], object)]
    values = [np.array([10.0, 20.0]), np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])]
    rows = np.array([[0.5, 0, 0], [2, 1, 1], [np.nan, np.nan, np.nan], [1, -1, 7], [-np.inf, 2, -1]])
    found = run(
        lambda v: lookup.look_up(v, categories, values, [-1.0, -2.0, -3.0]), rows, [None, ("a", "b", "c"), None]
    )
    np.testing.assert_array_equal(found, [[10, 2, 4], [20, 1, 5], [-1, 3, 6], [-1, -2, -3], [-1, -2, -3]])


@pytest.mark.parametrize(
    ("categories", "vocabulary", "reason"),
    [
        (np.array(["a", "z"], object), ("a",), "not in its column's vocabulary"),
        (np.array(["a"], object), None, "string categories"),
        (np.array(["a", None, np.nan], object), ("a",), "None and NaN"),
        (np.array([2**53 + 1]), None, "float64 does not hold"),
    ],
)
def test_categories_that_cannot_arrive_are_refused(categories: Any, vocabulary: Any, reason: str) -> None:
    values = np.arange(len(categories), dtype=np.float64)
    with pytest.raises(UnsupportedError, match=reason):
        run(lambda v: lookup.look_up(v, [categories], [values], [0.0]), np.zeros((1, 1)), [vocabulary])
