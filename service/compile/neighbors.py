"""Graphs of estimators that ask a row's neighbours among the rows that they were fitted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from service.compile.arrays import Block, float64
from service.compile.elementary import maximum
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.kd_tree import Metric, nearest_points, points_of
from service.compile.linear import inliers
from service.compile.scalar import total

_LANES = 8  # from so many numbers on NumPy adds in several lanes

Sums = Callable[[Block], Tensor]  # from values of the fitted rows, (points, width), to their weighted sums, (n, width)


@predictor("sklearn.KNeighborsClassifier")
def nearest_classifier(estimator: Any, rows: Tensor) -> Prediction:
    if _by_distance(estimator) and estimator.n_neighbors >= _LANES:
        raise UnsupportedError(f"sums of {_LANES} weights or more depend on the order of equally far neighbours")
    sums = _nearest_sums(estimator, rows)
    shares = [_share(sums(indicators)) for indicators in _indicators(estimator)]
    return _classify(estimator, shares)


@predictor("sklearn.KNeighborsRegressor")
def nearest_regressor(estimator: Any, rows: Tensor) -> Prediction:
    return _average(estimator, _nearest_sums(estimator, rows))


@predictor("sklearn.RadiusNeighborsClassifier")
def radius_classifier(estimator: Any, rows: Tensor) -> Prediction:
    if estimator.outlier_label_ is None:
        raise UnsupportedError("rows without neighbours are refused")
    sums = _radius_sums(estimator, rows)
    none = sums(np.ones((estimator.n_samples_fit_, 1))).equals(0.0)
    classes = estimator.classes_ if estimator.outputs_2d_ else [estimator.classes_]
    shares = []
    for indicators, known, label in zip(_indicators(estimator), classes, estimator.outlier_label_, strict=True):
        if label not in known:
            raise UnsupportedError("the label of rows without neighbours is not a class")
        alone = float64(known == label)[None, :]
        shares.append(rows.graph.where(none, alone, _share(sums(indicators))))
    return _classify(estimator, shares)


@predictor("sklearn.RadiusNeighborsRegressor")
def radius_regressor(estimator: Any, rows: Tensor) -> Prediction:
    """Not a number for a row without neighbours, as from the estimator."""
    if not np.issubdtype(estimator._y.dtype, np.floating):
        raise UnsupportedError("integer targets make an integer of the answer that is not a number")
    return _average(estimator, _radius_sums(estimator, rows))


@predictor("sklearn.LocalOutlierFactor")
def local_outlier_factor(estimator: Any, rows: Tensor) -> Prediction:
    if not estimator.novelty:
        raise UnsupportedError("an estimator without novelty answers to no new rows")
    k, builder = estimator.n_neighbors_, rows.graph
    found = nearest_points(estimator, numbers(rows), k)
    reach = builder.op("Gather", float64(estimator._distances_fit_X_)[:, k - 1], found.points)
    density = 1.0 / (total(maximum(found.distances, reach)) / k + 1e-10)
    ratios = builder.op("Gather", float64(estimator._lrd), found.points) / density
    values = (-(total(ratios) / k) - float(estimator.offset_)).reshape(-1)
    return Prediction(inliers(values.greater_equal(0.0)), decision_values=values)


def _nearest_sums(estimator: Any, rows: Tensor) -> Sums:
    k, builder = estimator.n_neighbors, rows.graph
    found = nearest_points(estimator, numbers(rows), k)
    weights = None
    if _by_distance(estimator):
        inverse = 1.0 / found.distances
        exact = builder.op("IsInf", inverse).cast(np.float64)
        weights = builder.where(exact.max(1, keepdims=True).greater(0.0), exact, inverse).reshape(-1, k, 1)

    def sums(values: Block) -> Tensor:
        taken = builder.op("Gather", values, found.points)
        return total(taken if weights is None else taken * weights).reshape(-1, values.shape[1])

    return sums


def _radius_sums(estimator: Any, rows: Tensor) -> Sums:
    """Added in the order in which the tree stores its points: that of its answers."""
    builder, metric = rows.graph, Metric.of(estimator)
    points, (_, order, _, _) = points_of(estimator), estimator._tree.get_arrays()
    reduced = metric.reduced(numbers(rows), points[order])
    weights = reduced.less_equal(metric.reduce_number(float(estimator.radius))).cast(np.float64)
    if _by_distance(estimator):
        distances = metric.distance(reduced)
        exact = distances.equals(0.0).cast(np.float64)
        inverse = weights / builder.where(distances.equals(0.0), 1.0, distances)
        weights = builder.where(exact.max(1, keepdims=True).greater(0.0), exact, inverse)
    return lambda values: builder.concat([total(weights * column) for column in values[order].T])


def _by_distance(estimator: Any) -> bool:
    if callable(estimator.weights):
        raise UnsupportedError("weights by a function of the user's own")
    return bool(estimator.weights == "distance")


def _indicators(estimator: Any) -> list[Block]:
    """For each output, which class each fitted row has, (points, classes)."""
    if not estimator.outputs_2d_:
        return [np.eye(len(estimator.classes_))[estimator._y]]
    return [np.eye(len(known))[labels] for known, labels in zip(estimator.classes_, estimator._y.T, strict=True)]


def _share(votes: Tensor) -> Tensor:
    return votes / total(votes)


def _classify(estimator: Any, shares: list[Tensor]) -> Prediction:
    if not estimator.outputs_2d_:
        return Prediction(shares[0].argmax(), shares[0])
    labels = [share.argmax().reshape(-1, 1) for share in shares]
    return Prediction(labels[0].graph.concat(labels), tuple(shares))


def _average(estimator: Any, sums: Sums) -> Prediction:
    targets = float64(estimator._y).reshape(estimator.n_samples_fit_, -1)
    values = sums(targets) / sums(np.ones((len(targets), 1)))
    return Prediction(values.reshape(-1) if estimator._y.ndim == 1 else values)
