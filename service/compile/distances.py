"""Distances between rows and fixed points, (n, points), in the two ways that scikit-learn computes them.

The expanded square is one matrix product, and loses digits to cancellation where a row is close to a point but both are
far from zero; direct differences do not. Which of them an estimator uses decides its ties: each converter follows it.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from scipy.spatial.distance import pdist

from service.compile.arrays import Block
from service.compile.elementary import absolute, maximum, sqrt, square
from service.compile.graph import Tensor, UnsupportedError
from service.compile.scalar import total

_ROUNDING_LIMIT = 1e-9  # of the squared distance between the closest points: about the share of rows in doubt


def squared_norms(rows: Tensor) -> Tensor:
    """The sum of squares of each row, (n, 1)."""
    return total(square(rows))


def expanded_squares(rows: Tensor, points: Block) -> Tensor:
    """Squared Euclidean distances as |x|^2 - 2xy + |y|^2, as ``euclidean_distances(squared=True)``."""
    expanded = rows @ (-2 * points.T) + squared_norms(rows) + np.einsum("ij,ij->i", points, points)
    return maximum(expanded, 0.0)


def euclidean(rows: Tensor, points: Block) -> Tensor:
    """As ``sklearn.metrics.pairwise.euclidean_distances``."""
    return sqrt(expanded_squares(rows, points))


def differences(rows: Tensor, points: Block) -> list[Tensor]:
    """One (n, points) matrix of differences for each feature."""
    return [rows.columns([i]) - points[:, i] for i in range(points.shape[1])]


def direct_squares(rows: Tensor, points: Block) -> Tensor:
    """Squared Euclidean distances by differences, feature after feature, as SciPy's and the k-d tree's loops."""
    return reduce(Tensor.__add__, map(square, differences(rows, points)))


def manhattan(rows: Tensor, points: Block) -> Tensor:
    """Sums of absolute differences, feature after feature."""
    return reduce(Tensor.__add__, map(absolute, differences(rows, points)))


def refuse_close(points: Block) -> None:
    """Raises UnsupportedError where the rounding of an expanded square decides between points for many a row.

    Its error is a rounding step of the points' own squares: next to 1.7e9, a time in seconds, several hundred. A row's
    labels then rest on the order of a matrix product's sums, which no row of a sample need show.
    """
    squares = pdist(points, "sqeuclidean")
    gaps = squares[squares > 0]
    step = np.finfo(np.float64).eps * float(np.einsum("ij,ij->i", points, points).max(initial=0.0))
    if gaps.size and step > _ROUNDING_LIMIT * gaps.min():
        raise UnsupportedError("its points lie too close together, so far from zero, for rounding not to decide")


def nearest(distances: Tensor) -> Tensor:
    """The first smallest column, int64, as ``numpy.argmin``."""
    return distances.graph.op("ArgMin", distances, axis=1, keepdims=0)
