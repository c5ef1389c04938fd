"""Graphs of classifiers whose probabilities are calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from service.compile import graph
from service.compile.dummy import repeated
from service.compile.graph import Prediction, Tensor, predictor
from service.compile.responses import first_method, response
from service.compile.scalar import exp, log, softmax, total

_METHODS = ("decision_function", "predict_proba")
_LOGIT_EPS = 1e-12  # scikit-learn adds it to a probability before its logarithm
_ABOVE_ONE = 1.0 + 1e-5  # a probability up to here is taken for one


@predictor("sklearn.CalibratedClassifierCV")
def calibrated_classifier_cv(estimator: Any, rows: Tensor) -> Prediction:
    """The mean over the calibrated classifiers of the folds."""
    parts = [_calibrated(inner, rows) for inner in estimator.calibrated_classifiers_]
    mean = reduce(Tensor.__add__, parts) / len(parts)
    return Prediction(mean.argmax(), mean)


def _calibrated(estimator: Any, rows: Tensor) -> Tensor:
    answers = response(estimator.estimator, graph.predict(estimator.estimator, rows), _METHODS)
    columns = 1 if len(estimator.estimator.classes_) == 2 else len(estimator.estimator.classes_)
    scores = answers.reshape(-1, columns)
    if estimator.method == "temperature":
        probabilities = _tempered(estimator, scores, columns)
    else:
        probabilities = _normalized(estimator, rows, scores, columns)
    above = rows.graph.op("And", probabilities.greater(1.0), probabilities.less_equal(_ABOVE_ONE))
    return rows.graph.where(above, 1.0, probabilities)


def _normalized(estimator: Any, rows: Tensor, scores: Tensor, columns: int) -> Tensor:
    """Each class calibrated alone, then brought to a sum of one; all equal where every one is zero."""
    calibrated = [
        _calibrate(calibrator, scores.columns([column]))
        for column, calibrator in zip(range(columns), estimator.calibrators, strict=True)
    ]
    count = len(estimator.classes)
    if count == 2:
        return rows.graph.concat([1.0 - calibrated[0], calibrated[0]])
    known = np.searchsorted(estimator.classes, estimator.estimator.classes_).tolist()
    by_class = dict(zip(known, calibrated, strict=False))
    all_classes = rows.graph.concat([by_class.get(place) or repeated(rows, np.zeros(1)) for place in range(count)])
    sums = total(all_classes)
    none = sums.equals(0.0)
    return rows.graph.where(none, 1.0 / count, all_classes / rows.graph.where(none, 1.0, sums))


def _calibrate(calibrator: Any, score: Tensor) -> Tensor:
    """(n, 1); the sigmoid's slope and offset are of Platt's sign."""
    if type(calibrator).__name__ == "_SigmoidCalibration":
        return 1.0 / (exp(score * float(calibrator.a_) + float(calibrator.b_)) + 1.0)
    return graph.predict(calibrator, score).predictions.reshape(-1, 1)


def _tempered(estimator: Any, scores: Tensor, columns: int) -> Tensor:
    likely = first_method(estimator.estimator, _METHODS) == "predict_proba"
    if columns == 1:
        sides: Sequence[Tensor] = [1.0 - scores if likely else -scores, scores]
        scores = scores.graph.concat(sides)
    if likely or columns > 1:
        scores = _logits(scores)
    return softmax(scores * float(estimator.calibrators[0].beta_))


def _logits(scores: Tensor) -> Tensor:
    """The logarithm where the whole batch looks like probabilities: scikit-learn asks the numbers, not the method."""
    builder = scores.graph
    between = builder.op("And", scores.greater_equal(0.0), scores.less_equal(1.0))
    off = builder.op("Abs", total(scores) - 1.0)
    likely = builder.op("And", between, off.less_equal(1e-8 + 1e-5)).cast(np.float64)
    return builder.where(builder.op("ReduceMin", likely, keepdims=0).equals(1.0), log(scores + _LOGIT_EPS), scores)
