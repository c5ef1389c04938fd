"""Graphs of classifiers that move the threshold of another."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.graph import Prediction, Tensor, predictor
from service.compile.responses import first_method, response

_AUTO = ("predict_proba", "decision_function")


@predictor("sklearn.FixedThresholdClassifier")
def fixed_threshold_classifier(estimator: Any, rows: Tensor) -> Prediction:
    inner = getattr(estimator, "estimator_", estimator.estimator)
    threshold = estimator.threshold
    if isinstance(threshold, str):
        threshold = 0.5 if first_method(inner, _methods(estimator)) == "predict_proba" else 0.0
    return _decide(estimator, inner, rows, float(threshold), estimator.pos_label)


@predictor("sklearn.TunedThresholdClassifierCV")
def tuned_threshold_classifier(estimator: Any, rows: Tensor) -> Prediction:
    positive = estimator._curve_scorer._get_pos_label()
    return _decide(estimator, estimator.estimator_, rows, float(estimator.best_threshold_), positive)


def _methods(estimator: Any) -> tuple[str, ...]:
    return _AUTO if estimator.response_method == "auto" else (estimator.response_method,)


def _decide(estimator: Any, inner: Any, rows: Tensor, threshold: float, positive: Any) -> Prediction:
    prediction = graph.predict(inner, rows)
    reached = response(inner, prediction, _methods(estimator), positive).greater_equal(threshold)
    place = 0 if positive is not None and positive == inner.classes_[0] else 1
    predictions = rows.graph.where(reached, np.array(place), np.array(1 - place))
    return prediction._replace(predictions=predictions)
