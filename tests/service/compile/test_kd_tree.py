from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from service.compile import kd_tree
from service.compile.graph import Graph, UnsupportedError
from tests.service.compile.samples import FEATURES, Block, fit, rows
from tests.service.compile.test_lookup import run

RANDOM = np.random.default_rng(5)
METRICS: list[dict[str, Any]] = [{"p": 1}, {"p": 2}, {"p": 3}, {"p": 2.5}, {"metric": "chebyshev"}]


def grid(count: int, features: int) -> Block:
    """Points of which many are equally far from any place on the grid."""
    return RANDOM.integers(0, 5, size=(count, features)).astype(np.float64)


def assert_same_neighbours(estimator: NearestNeighbors, asked: Block) -> None:
    k = estimator.n_neighbors
    distances, points = estimator.kneighbors(asked)

    def ask(x: Any) -> Any:
        found = kd_tree.nearest_points(estimator, x, k)
        return x.graph.concat([found.points.cast(np.float64), found.distances])

    answers = run(ask, asked)
    np.testing.assert_allclose(answers[:, k:], distances, rtol=1e-15)
    np.testing.assert_array_equal(np.sort(answers[:, :k]), np.sort(points))


@pytest.mark.parametrize("metric", METRICS, ids=str)
@pytest.mark.parametrize("k", [1, 2, 6, 13])
def test_of_points_that_are_equally_far_those_are_taken_that_scikit_learn_takes(metric: dict[str, Any], k: int) -> None:
    estimator = fit(lambda: NearestNeighbors(n_neighbors=k, leaf_size=10, **metric), grid(400, 3))
    assert_same_neighbours(estimator, np.concatenate([grid(100, 3), grid(100, 3) + 0.5, grid(50, 3) * 1e6]))


@pytest.mark.parametrize("leaf_size", [1, 30, 1000])
def test_a_tree_may_be_of_any_depth(leaf_size: int) -> None:
    estimator = fit(lambda: NearestNeighbors(n_neighbors=5, leaf_size=leaf_size), grid(700, 2))
    assert_same_neighbours(estimator, np.concatenate([grid(100, 2), -grid(20, 2)]))


def test_where_no_digits_are_left_the_points_that_the_tree_meets_first_are_taken() -> None:
    estimator = fit(lambda: NearestNeighbors(n_neighbors=4, leaf_size=3), rows())
    far = np.array([[1e30] * FEATURES, [-1e30] * FEATURES, [0.0, 1e18, 0.0, 0.0, 0.0]])
    assert_same_neighbours(estimator, np.concatenate([far, rows() * 1e15, rows()]))


def test_all_points_may_be_asked_for() -> None:
    estimator = fit(lambda: NearestNeighbors(n_neighbors=20, algorithm="kd_tree"), grid(20, 2))
    assert_same_neighbours(estimator, grid(10, 2))


@pytest.mark.parametrize("algorithm", ["brute", "ball_tree"])
def test_other_searches_are_refused(algorithm: str) -> None:
    estimator = fit(lambda: NearestNeighbors(algorithm=algorithm), rows())
    with pytest.raises(UnsupportedError, match=algorithm):
        kd_tree.nearest_points(estimator, Graph([None] * FEATURES).rows, 5)


def test_too_many_points_are_refused() -> None:
    estimator = fit(NearestNeighbors, RANDOM.normal(size=(4097, 1)))
    with pytest.raises(UnsupportedError, match="4096"):
        kd_tree.nearest_points(estimator, Graph([None]).rows, 5)
