"""Graphs of stacked estimators: the last one sees what the others predict."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.responses import decision_values, labels, places, probabilities


@predictor("sklearn.StackingRegressor")
def stacking_regressor(estimator: Any, rows: Tensor) -> Prediction:
    return graph.predict(estimator.final_estimator_, _stacked(estimator, rows))


@predictor("sklearn.StackingClassifier")
def stacking_classifier(estimator: Any, rows: Tensor) -> Prediction:
    """Its estimators were fitted on the labels' places."""
    if isinstance(estimator._label_encoder, list):
        raise UnsupportedError("stacked estimators of several labels")
    final = estimator.final_estimator_
    answer = graph.predict(final, _stacked(estimator, rows))
    return answer._replace(predictions=places(final, answer, np.arange(len(estimator.classes_))))


def _stacked(estimator: Any, rows: Tensor) -> Tensor:
    binary = len(getattr(estimator, "classes_", ())) == 2
    parts = [
        _answers(inner, rows, method, binary=binary)
        for inner, method in zip(estimator.estimators_, estimator.stack_method_, strict=True)
    ]
    return rows.graph.concat([*parts, numbers(rows)] if estimator.passthrough else parts)


def _answers(estimator: Any, rows: Tensor, method: str, *, binary: bool) -> Tensor:
    """(n, columns); of two probabilities the second alone."""
    answer = graph.predict(estimator, rows)
    if method == "predict":
        return labels(estimator, answer).reshape(-1, 1)
    if method == "decision_function":
        values = decision_values(answer)
        return values.reshape(-1, 1) if len(estimator.classes_) == 2 else values
    likelihoods = probabilities(answer)
    return likelihoods.columns([1]) if binary else likelihoods
