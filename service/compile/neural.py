"""Graphs of multi-layer perceptrons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from service.compile.arrays import float64
from service.compile.elementary import maximum
from service.compile.graph import Prediction, Tensor, numbers, predictor
from service.compile.scalar import exp, expit, softmax, tanh, two_columns

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda values: values,
    "exp": exp,
    "tanh": tanh,
    "logistic": expit,
    "relu": lambda values: maximum(values, 0.0),
    "softmax": softmax,
}


@predictor("sklearn.MLPRegressor")
def perceptron_regressor(estimator: Any, rows: Tensor) -> Prediction:
    values = _forward(estimator, rows)
    return Prediction(values.reshape(-1) if estimator.n_outputs_ == 1 else values)


@predictor("sklearn.MLPClassifier")
def perceptron_classifier(estimator: Any, rows: Tensor) -> Prediction:
    values = _forward(estimator, rows)
    kind = estimator._label_binarizer.y_type_
    if kind == "multiclass":
        return Prediction(values.argmax(), values)
    predictions = values.greater(0.5).cast(np.int64)
    if kind == "binary":
        return Prediction(predictions.reshape(-1), two_columns(values))
    return Prediction(predictions, values)


def _forward(estimator: Any, rows: Tensor) -> Tensor:
    values = numbers(rows)
    hidden = [estimator.activation] * (estimator.n_layers_ - 2)
    layers = zip(estimator.coefs_, estimator.intercepts_, [*hidden, estimator.out_activation_], strict=True)
    for coef, intercept, activation in layers:
        values = _ACTIVATIONS[activation](values @ float64(coef) + float64(intercept))
    return values
