"""Graphs of scikit-learn's HistGradientBoosting, which compares float64 rows as they are, missing values included."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import scalar
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.lookup import look_up
from service.compile.tree_ensemble import Floats, Ints, Tree, constant, sum_leaves


@predictor("sklearn.HistGradientBoostingRegressor")
def hist_gradient_boosting_regressor(estimator: Any, rows: Tensor) -> Prediction:
    raw = _raw(estimator, rows).reshape(-1)
    link = type(estimator._loss.link).__name__
    if link == "IdentityLink":
        return Prediction(raw)
    if link == "LogLink":
        return Prediction(scalar.exp(raw))
    raise UnsupportedError(f"no exact graph for a loss with {link}")


@predictor("sklearn.HistGradientBoostingClassifier")
def hist_gradient_boosting_classifier(estimator: Any, rows: Tensor) -> Prediction:
    raw = _raw(estimator, rows)
    if estimator.n_trees_per_iteration_ > 1:
        return Prediction(raw.argmax(), scalar.softmax(raw), raw)
    raw = raw.reshape(-1)
    return Prediction(raw.greater(0.0).cast(np.int64), scalar.two_columns(scalar.expit(raw)), raw)


def trees(estimator: Any) -> list[Tree]:
    """The trees, iteration after iteration, on the columns as the estimator's own encoder leaves them."""
    return [
        _tree(predictor_, target) for iteration in estimator._predictors for target, predictor_ in enumerate(iteration)
    ]


def encoded_columns(estimator: Any) -> Ints:
    """Which input column each column of the trees is: those of categories come first."""
    columns = np.arange(estimator.n_features_in_)
    if estimator.is_categorical_ is None:
        return columns
    return np.concatenate([columns[estimator.is_categorical_], columns[~estimator.is_categorical_]])


def _raw(estimator: Any, rows: Tensor) -> Tensor:
    """(n, trees an iteration): the baseline and, tree after tree, what is added to it."""
    begin = [constant(value, target) for target, value in enumerate(estimator._baseline_prediction[0])]
    return sum_leaves(_encode(estimator, rows), [*begin, *trees(estimator)], len(begin))


def _encode(estimator: Any, rows: Tensor) -> Tensor:
    """The categories as their places among those known in training, NaN where missing or unknown, then the numbers."""
    if estimator.is_categorical_ is None:
        return numbers(rows)
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    order = encoded_columns(estimator)
    coded = look_up(
        rows.columns(order[: len(encoder.categories_)]),
        encoder.categories_,
        [_places(categories) for categories in encoder.categories_],
        [np.nan] * len(encoder.categories_),
    )
    plain = order[len(encoder.categories_) :]
    return rows.graph.concat([coded, numbers(rows.columns(plain))] if len(plain) else [coded])


def _places(categories: Any) -> Floats:
    """0, 1, ...; NaN for a missing value among the categories."""
    missing = np.array([category is None or category != category for category in categories])
    return np.where(missing, np.nan, np.arange(len(categories)))


def _tree(predictor_: Any, target: int) -> Tree:
    nodes = predictor_.nodes
    leaf = nodes["is_leaf"].astype(np.bool_)
    return Tree(
        feature=nodes["feature_idx"].astype(np.int64),
        split=nodes["num_threshold"].astype(np.float64),
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        missing_left=nodes["missing_go_to_left"].astype(np.bool_),
        value=nodes["value"],
        target=np.full(len(nodes), target),
        members={
            int(node): _members(predictor_.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
            for node in np.flatnonzero(nodes["is_categorical"].astype(np.bool_) & ~leaf)
        },
    )


def _members(bitset: Any) -> Floats:
    """The numbers of the bits that are set in eight words of 32."""
    bits = (bitset[:, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)
    return np.flatnonzero(bits.reshape(-1)).astype(np.float64)
