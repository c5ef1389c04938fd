"""Graphs of partial least squares and canonical correlation."""

from __future__ import annotations

from typing import Any

from service.compile.arrays import float64
from service.compile.graph import Prediction, Tensor, numbers, predictor, transformer

_PARTIAL_LEAST_SQUARES = ("sklearn.CCA", "sklearn.PLSCanonical", "sklearn.PLSRegression")


@predictor(*_PARTIAL_LEAST_SQUARES)
def partial_least_squares(estimator: Any, rows: Tensor) -> Prediction:
    centered = numbers(rows) - float64(estimator._x_mean)
    values = centered @ float64(estimator.coef_).T + float64(estimator.intercept_)
    return Prediction(values.reshape(-1) if estimator._predict_1d else values)


@transformer(*_PARTIAL_LEAST_SQUARES)
def partial_least_squares_scores(estimator: Any, rows: Tensor) -> Tensor:
    centered = numbers(rows) - float64(estimator._x_mean)
    return centered / float64(estimator._x_std) @ float64(estimator.x_rotations_)
