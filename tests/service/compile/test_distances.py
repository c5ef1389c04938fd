from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import euclidean_distances

from service.compile import distances
from tests.service.compile.samples import rows
from tests.service.compile.test_lookup import run

POINTS = rows()[::7]


def test_direct_squares_are_scipys_to_the_last_bit() -> None:
    expected = cdist(rows(), POINTS, "sqeuclidean")
    np.testing.assert_array_equal(run(lambda x: distances.direct_squares(x, POINTS), rows()), expected)


def test_sums_of_absolute_differences_are_scipys() -> None:
    expected = cdist(rows(), POINTS, "cityblock")
    np.testing.assert_allclose(run(lambda x: distances.manhattan(x, POINTS), rows()), expected, rtol=1e-15)


def test_expanded_distances_are_scikit_learns() -> None:
    expected = euclidean_distances(rows(), POINTS)
    np.testing.assert_allclose(run(lambda x: distances.euclidean(x, POINTS), rows()), expected, rtol=1e-13, atol=1e-7)


def test_of_points_at_the_same_distance_the_first_is_nearest() -> None:
    points = np.array([[9.0], [1.0], [-1.0], [1.0]])
    found = run(lambda x: distances.nearest(distances.direct_squares(x, points)), np.array([[0.0], [0.5], [-9.0]]))
    assert found.tolist() == [1, 1, 2]
