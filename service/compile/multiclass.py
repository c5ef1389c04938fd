"""Graphs of classifiers of many classes, or of many labels, built from classifiers of two."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from service.compile import graph
from service.compile.arrays import float64
from service.compile.distances import expanded_squares, nearest
from service.compile.dummy import repeated
from service.compile.graph import Prediction, Tensor, UnsupportedError, predictor
from service.compile.responses import binary_score, binary_threshold, decision_values, labels, probabilities
from service.compile.scalar import total


@predictor("sklearn.OneVsRestClassifier")
def one_vs_rest_classifier(estimator: Any, rows: Tensor) -> Prediction:
    inner = estimator.estimators_
    answers = [graph.predict(one, rows) for one in inner]
    scores = rows.graph.concat([binary_score(*pair) for pair in zip(inner, answers, strict=True)])
    if estimator.label_binarizer_.y_type_ == "multiclass":
        predictions = scores.argmax()
    else:
        predictions = scores.greater(binary_threshold(inner[0])).cast(np.int64)
        predictions = predictions if estimator.multilabel_ else predictions.reshape(-1)
    return Prediction(predictions, _likelihoods(estimator, answers), _values(estimator, answers))


def _likelihoods(estimator: Any, answers: list[Prediction]) -> Tensor | None:
    """Of each class alone; of classes that exclude each other brought to a sum of one, where it is not zero."""
    if not all(hasattr(one, "predict_proba") for one in estimator.estimators_):
        return None
    seconds = [probabilities(answer).columns([1]) for answer in answers]
    builder = seconds[0].graph
    likely = builder.concat(seconds if len(seconds) > 1 else [1.0 - seconds[0], seconds[0]])
    if estimator.multilabel_:
        return likely
    sums = total(likely)
    return likely / builder.where(sums.equals(0.0), 1.0, sums)


def _values(estimator: Any, answers: list[Prediction]) -> Tensor | None:
    if not all(hasattr(one, "decision_function") for one in estimator.estimators_):
        return None
    values = [decision_values(answer) for answer in answers]
    return values[0] if len(values) == 1 else values[0].graph.concat([value.reshape(-1, 1) for value in values])


@predictor("sklearn._ConstantPredictor")
def constant_predictor(estimator: Any, rows: Tensor) -> Prediction:
    """Stands in where a label was the same on every training row: always 0 or always 1."""
    label = float64(estimator.y_)
    values = repeated(rows, label).reshape(-1)
    return Prediction(values, repeated(rows, np.append(1.0 - label, label)), values)


@predictor("sklearn.OneVsOneClassifier")
def one_vs_one_classifier(estimator: Any, rows: Tensor) -> Prediction:
    if estimator.pairwise_indices_ is not None:
        raise UnsupportedError("a kernel computed beforehand")
    inner, count = estimator.estimators_, estimator.n_classes_
    pairs = [(one, graph.predict(one, rows)) for one in inner]
    votes = [labels(*pair).reshape(-1, 1) for pair in pairs]
    scores = [binary_score(*pair) for pair in pairs]
    values = _tally(rows.graph.concat(votes), rows.graph.concat(scores), count)
    if count > 2:
        return Prediction(values.argmax(), decision_values=values)
    second = values.columns([1]).reshape(-1)
    threshold = binary_threshold(inner[0])
    return Prediction(second.greater(threshold).cast(np.int64), decision_values=second)


def _tally(votes: Tensor, scores: Tensor, count: int) -> Tensor:
    """Votes, with ties broken by the sum of scores squeezed under a third, as ``_ovr_decision_function``.

    One step adds one pair of every class, so that each class meets its pairs in scikit-learn's order.
    """
    pairs = list(combinations(range(count), 2))
    met = [[place for place, pair in enumerate(pairs) if one in pair] for one in range(count)]
    total_votes = total_scores = votes.graph.constant(np.zeros(count))
    for step in zip(*met, strict=True):
        second = np.array([pairs[place][1] == one for one, place in enumerate(step)], np.float64)
        total_votes = total_votes + votes.columns(step).equals(second).cast(np.float64)
        total_scores = total_scores + scores.columns(step) * (2 * second - 1)
    size = votes.graph.op("Abs", total_scores)
    return total_votes + total_scores / ((size + 1.0) * 3.0)


@predictor("sklearn.OutputCodeClassifier")
def output_code_classifier(estimator: Any, rows: Tensor) -> Prediction:
    """The class whose code is nearest to the scores; of scores so large that all are equally far the first."""
    scores = rows.graph.concat([binary_score(one, graph.predict(one, rows)) for one in estimator.estimators_])
    return Prediction(nearest(expanded_squares(scores, float64(estimator.code_book_))))
