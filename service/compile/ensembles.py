"""Graphs of ensembles of any estimators: votes, bags and AdaBoost. Sums run from the first estimator to the last."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile import graph
from service.compile.arrays import float64
from service.compile.graph import Prediction, Tensor, UnsupportedError, predictor
from service.compile.responses import decision_values, places, probabilities
from service.compile.scalar import softmax


@predictor("sklearn.VotingClassifier")
def voting_classifier(estimator: Any, rows: Tensor) -> Prediction:
    answers = [graph.predict(inner, rows) for inner in estimator.estimators_]
    if estimator.voting == "soft":
        mean = _average([probabilities(answer) for answer in answers], estimator._weights_not_none)
        return Prediction(mean.argmax(), mean)
    weights = estimator._weights_not_none or [1.0] * len(answers)
    encoded = np.arange(len(estimator.classes_))
    votes = [
        _one_hot(places(inner, answer, encoded), len(encoded)) * float(weight)
        for inner, answer, weight in zip(estimator.estimators_, answers, weights, strict=True)
    ]
    return Prediction(_total(votes).argmax())


@predictor("sklearn.VotingRegressor")
def voting_regressor(estimator: Any, rows: Tensor) -> Prediction:
    answers = [graph.predict(inner, rows).predictions for inner in estimator.estimators_]
    return Prediction(_average(answers, estimator._weights_not_none))


@predictor("sklearn.BaggingClassifier")
def bagging_classifier(estimator: Any, rows: Tensor) -> Prediction:
    """The mean of the probabilities, or of the votes of estimators that give none."""
    inner, count = estimator.estimators_, estimator.n_classes_
    answers = _answers_of_bag(estimator, rows)
    mean = _total([_likelihoods(*pair, count) for pair in zip(inner, answers, strict=True)]) / len(inner)
    if not hasattr(inner[0], "decision_function"):
        return Prediction(mean.argmax(), mean)
    if any(len(part.classes_) != count for part in inner):
        raise UnsupportedError("a bag's estimator has not seen every class")
    return Prediction(mean.argmax(), mean, _total([decision_values(answer) for answer in answers]) / len(inner))


@predictor("sklearn.BaggingRegressor")
def bagging_regressor(estimator: Any, rows: Tensor) -> Prediction:
    answers = [answer.predictions for answer in _answers_of_bag(estimator, rows)]
    return Prediction(_total(answers) / len(answers))


def _answers_of_bag(estimator: Any, rows: Tensor) -> list[Prediction]:
    features = estimator.estimators_features_
    return [
        graph.predict(inner, rows.columns(columns))
        for inner, columns in zip(estimator.estimators_, features, strict=True)
    ]


def _likelihoods(estimator: Any, answer: Prediction, count: int) -> Tensor:
    """(n, count): a bag's estimators know the classes by their places, and maybe not all of them."""
    if not hasattr(estimator, "predict_proba"):
        return _one_hot(places(estimator, answer, np.arange(count)), count)
    known = np.asarray(estimator.classes_, np.int64)
    return probabilities(answer) if len(known) == count else probabilities(answer) @ np.eye(count)[known]


@predictor("sklearn.AdaBoostClassifier")
def ada_boost_classifier(estimator: Any, rows: Tensor) -> Prediction:
    count = estimator.n_classes_
    if count == 1:
        raise UnsupportedError("a classifier of one class")
    weights = float64(estimator.estimator_weights_)
    votes = [
        _signed_vote(places(inner, graph.predict(inner, rows), estimator.classes_), count, float(weight))
        for inner, weight in zip(estimator.estimators_, weights, strict=False)
    ]
    decision = _total(votes) / float(weights.sum())
    if count == 2:
        second = decision.columns([1]) - decision.columns([0])
        pair = rows.graph.concat([-second, second]) / 2.0
        values = second.reshape(-1)
        return Prediction(values.greater(0.0).cast(np.int64), softmax(pair), values)
    return Prediction(decision.argmax(), softmax(decision / (count - 1.0)), decision)


def _signed_vote(place: Tensor, count: int, weight: float) -> Tensor:
    """The weight for the predicted class, and its share against each other one."""
    chosen = place.reshape(-1, 1).equals(np.arange(count))
    return place.graph.where(chosen, weight, -1 / (count - 1) * weight)


@predictor("sklearn.AdaBoostRegressor")
def ada_boost_regressor(estimator: Any, rows: Tensor) -> Prediction:
    """The weighted median: the first prediction in rising order up to which half of the weight lies."""
    answers = [graph.predict(inner, rows).predictions.reshape(-1, 1) for inner in estimator.estimators_]
    builder, count = rows.graph, len(answers)
    rising, order = builder.op_many(
        "TopK", builder.concat(answers), np.array([count]), outputs=2, axis=1, largest=0, sorted=1
    )
    weights = builder.op("Gather", float64(estimator.estimator_weights_)[:count], order)
    below = builder.op("CumSum", weights, np.array(1))
    reached = below.greater_equal(below.columns([count - 1]) * 0.5).cast(np.float64)
    middle = reached.argmax().reshape(-1, 1)
    return Prediction(builder.op("GatherElements", rising, middle, axis=1).reshape(-1))


def _one_hot(place: Tensor, count: int) -> Tensor:
    return place.reshape(-1, 1).equals(np.arange(count)).cast(np.float64)


def _total(parts: Sequence[Tensor]) -> Tensor:
    return reduce(Tensor.__add__, parts)


def _average(parts: Sequence[Tensor], weights: Sequence[float] | None) -> Tensor:
    """``numpy.average`` over the parts."""
    if weights is None:
        return _total(parts) / len(parts)
    scales: NDArray[np.float64] = np.asarray(weights, np.float64)
    scaled = [part * float(scale) for part, scale in zip(parts, scales, strict=True)]
    return _total(scaled) / float(scales.sum())
