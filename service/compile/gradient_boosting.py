"""Graphs of scikit-learn's GradientBoosting, which adds each tree's values, scaled, to where it starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from service.compile import graph, scalar
from service.compile.graph import Prediction, Tensor, UnsupportedError, predictor
from service.compile.tree_ensemble import Floats, Tree, constant, sum_leaves
from service.compile.trees import single_precision, structure


@predictor("sklearn.GradientBoostingRegressor")
def gradient_boosting_regressor(estimator: Any, rows: Tensor) -> Prediction:
    return Prediction(_raw(estimator, rows).reshape(-1))


@predictor("sklearn.GradientBoostingClassifier")
def gradient_boosting_classifier(estimator: Any, rows: Tensor) -> Prediction:
    raw = _raw(estimator, rows)
    if estimator.n_trees_per_iteration_ > 1:
        return Prediction(raw.argmax(), scalar.softmax(raw), raw)
    raw = raw.reshape(-1)
    positive = scalar.expit(raw * 2.0 if estimator.loss == "exponential" else raw)
    return Prediction(raw.greater_equal(0.0).cast(np.int64), scalar.two_columns(positive), raw)


def trees(estimator: Any) -> list[Tree]:
    """The trees with their scaled leaves, stage after stage. NaN, which the estimator refuses, needs no side."""
    return [
        structure(tree.tree_)._replace(
            missing_left=np.zeros(tree.tree_.node_count, np.bool_),
            value=estimator.learning_rate * tree.tree_.value[:, 0, 0],
            target=np.full(tree.tree_.node_count, k),
        )
        for stage in estimator.estimators_
        for k, tree in enumerate(stage)
    ]


def _raw(estimator: Any, rows: Tensor) -> Tensor:
    """(n, trees a stage): the start and, tree after tree, what is added to it."""
    rows = single_precision(rows)
    start = _constant_start(estimator)
    if start is None:
        return _sum_from(_start(estimator, rows), rows, trees(estimator))
    begin = [constant(value, target) for target, value in enumerate(start)]
    return sum_leaves(rows, [*begin, *trees(estimator)], len(begin))


def _constant_start(estimator: Any) -> Floats | None:
    """What every row starts from, (trees a stage,); None where an estimator of the user's own says it."""
    init = estimator.init_
    constants = ("prior", "most_frequent", "constant")
    dummy = isinstance(init, DummyClassifier) and init.strategy in constants
    if init == "zero" or isinstance(init, DummyRegressor) or dummy:
        start: Floats = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))[0]
        return start
    return None


def _start(estimator: Any, rows: Tensor) -> Tensor:
    """The answers of the user's own estimator, in the space that the trees add to: (n, trees a stage)."""
    init = estimator.init_
    classifies = hasattr(estimator, "classes_")
    answer = init.predict_proba if classifies else init.predict
    if answer(np.zeros((1, estimator.n_features_in_), np.float32)).dtype == np.float32:
        raise UnsupportedError("the estimator given as init computes in float32")
    prediction = graph.predict(init, rows)
    if not classifies:
        return prediction.predictions.cast(np.float64).reshape(-1, 1)
    if not isinstance(prediction.probabilities, Tensor):
        raise UnsupportedError("no exact graph for the probabilities of the estimator given as init")
    epsilon = float(np.finfo(np.float64).eps)
    likely = rows.graph.op("Clip", prediction.probabilities, epsilon, 1.0 - epsilon)
    if estimator.n_trees_per_iteration_ > 1:
        logs = scalar.log(likely)
        mean = scalar.total(logs) / estimator.n_trees_per_iteration_
        return scalar.log(likely / scalar.exp(mean))
    positive = likely.columns([1])
    odds = scalar.log(positive / (1.0 - positive))
    return odds * 0.5 if estimator.loss == "exponential" else odds


def _sum_from(start: Tensor, rows: Tensor, added: list[Tree]) -> Tensor:
    """(n, k): the start and the trees that follow, one addition after the other."""
    k = int(max(tree.target[0] for tree in added)) + 1
    alone = [tree._replace(target=np.full(len(tree.target), i)) for i, tree in enumerate(added)]
    stages = sum_leaves(rows, alone, len(alone)).reshape(0, len(alone) // k, k)
    terms = rows.graph.concat([start.reshape(0, 1, k), stages])
    return rows.graph.op("Gather", rows.graph.op("CumSum", terms, np.array(1)), np.array(-1), axis=1)
