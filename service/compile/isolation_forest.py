"""Graphs of scikit-learn's IsolationForest: how deep a row falls in its trees, as a score."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.graph import Prediction, Tensor, predictor
from service.compile.tree_ensemble import Floats, Tree, sum_leaves
from service.compile.trees import single_precision, structure


@predictor("sklearn.IsolationForest")
def isolation_forest(estimator: Any, rows: Tensor) -> Prediction:
    depths = sum_leaves(single_precision(rows), trees(estimator), 1).reshape(-1)
    longest = _longest(estimator)
    shares = depths / longest if longest else depths * 0.0 + 1.0
    decision_values = -rows.graph.op("Pow", 2.0, -shares) - float(estimator.offset_)
    inlier = depths.greater_equal(_shallowest_inlier(estimator)).cast(np.int64)
    two, one = (np.array(number, np.int64) for number in (2, 1))
    return Prediction(inlier * two - one, decision_values=decision_values)


def trees(estimator: Any) -> list[Tree]:
    """The trees on the columns of the input; a leaf adds its depth and what its training rows would add to it."""
    subsampled = estimator._max_features != estimator.n_features_in_
    members = zip(
        estimator.estimators_,
        estimator.estimators_features_,
        estimator._decision_path_lengths,
        estimator._average_path_length_per_tree,
        strict=True,
    )
    result = []
    for tree, features, depth, beyond in members:
        tree = structure(tree.tree_)
        feature = features[np.maximum(tree.feature, 0)] if subsampled else tree.feature
        result.append(tree._replace(feature=feature, value=depth + beyond - 1.0))
    return result


def _longest(estimator: Any) -> float:
    """The sum of depths that counts as a score of one half; 0 for trees of a single row, whose score is always that."""
    from sklearn.ensemble._iforest import _average_path_length  # whoever has no such forest need not wait for it

    return float(len(estimator.estimators_) * _average_path_length([estimator._max_samples])[0])


def _shallowest_inlier(estimator: Any) -> float:
    """The smallest sum of depths whose decision value is not below 0, found by halving with the estimator's formula.

    The offset is often the score of a training row, so that the last bit of a power decides its label; powers
    differ in that bit between libraries, sums of depths do not.
    """
    low, high = -1, int(np.array(np.finfo(np.float64).max).view(np.int64))  # ordered as the numbers that they encode
    while high - low > 1:
        middle = (low + high) // 2
        if _decision_value(estimator, float(np.array(middle).view(np.float64))) < 0:
            low = middle
        else:
            high = middle
    return float(np.array(high).view(np.float64))


def _decision_value(estimator: Any, depth: float) -> float:
    depths: Floats = np.array([depth])
    longest = _longest(estimator)
    shares = np.divide(depths, longest, out=np.ones_like(depths), where=longest != 0)
    return float((-(2**-shares) - estimator.offset_)[0])
