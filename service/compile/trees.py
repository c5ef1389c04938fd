"""Graphs of scikit-learn's decision trees and forests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from service.compile.graph import Prediction, Tensor, numbers, predictor
from service.compile.tree_ensemble import Floats, Tree, sum_leaf_vectors


@predictor("sklearn.DecisionTreeClassifier", "sklearn.ExtraTreeClassifier")
def tree_classifier(estimator: Any, rows: Tensor) -> Prediction:
    return _classify(estimator, _sum_values([estimator], rows))


@predictor("sklearn.RandomForestClassifier", "sklearn.ExtraTreesClassifier")
def forest_classifier(estimator: Any, rows: Tensor) -> Prediction:
    trees = estimator.estimators_
    return _classify(estimator, _sum_values(trees, rows) / len(trees))


@predictor("sklearn.DecisionTreeRegressor", "sklearn.ExtraTreeRegressor")
def tree_regressor(estimator: Any, rows: Tensor) -> Prediction:
    return _regress(estimator, _sum_values([estimator], rows))


@predictor("sklearn.RandomForestRegressor", "sklearn.ExtraTreesRegressor")
def forest_regressor(estimator: Any, rows: Tensor) -> Prediction:
    trees = estimator.estimators_
    return _regress(estimator, _sum_values(trees, rows) / len(trees))


def single_precision(rows: Tensor) -> Tensor:
    """The rows as scikit-learn's trees see them: rounded to float32, then held against float64 thresholds."""
    return numbers(rows).cast(np.float32).cast(np.float64)


def structure(tree: Any) -> Tree:
    """The splits of a ``sklearn.tree._tree.Tree``; its leaves add nothing yet."""
    nodes = tree.node_count
    return Tree(
        feature=tree.feature.astype(np.int64),
        split=tree.threshold,
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        missing_left=tree.missing_go_to_left.astype(np.bool_),
        value=np.zeros(nodes),
        target=np.zeros(nodes, np.int64),
    )


def _sum_values(estimators: Sequence[Any], rows: Tensor) -> Tensor:
    """The sum of the leaves' class frequencies or means, output after output; (n, columns)."""
    trees = [estimator.tree_ for estimator in estimators]
    vectors = [_columns(estimator) for estimator in estimators]
    return sum_leaf_vectors(single_precision(rows), [structure(tree) for tree in trees], vectors)


def _columns(estimator: Any) -> Floats:
    """(nodes, columns): the values of each output, which stand padded to the classes of the largest."""
    values = estimator.tree_.value
    return np.concatenate([values[:, i, :width] for i, width in enumerate(_widths(estimator))], axis=1)


def _widths(estimator: Any) -> list[int]:
    """How many columns each output has: its classes, or the one of a regressor."""
    widths: list[int] = np.broadcast_to(getattr(estimator, "n_classes_", 1), estimator.n_outputs_).tolist()
    return widths


def _classify(estimator: Any, probabilities: Tensor) -> Prediction:
    widths = _widths(estimator)
    if len(widths) == 1:
        return Prediction(probabilities.argmax(), probabilities)
    ends = np.cumsum(widths)
    parts = tuple(probabilities.columns(np.arange(end - width, end)) for end, width in zip(ends, widths, strict=True))
    labels = [part.argmax().reshape(-1, 1) for part in parts]
    return Prediction(probabilities.graph.concat(labels), parts)


def _regress(estimator: Any, means: Tensor) -> Prediction:
    return Prediction(means.reshape(-1) if estimator.n_outputs_ == 1 else means)
