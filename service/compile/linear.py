"""Graphs of linear models: one matrix product, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.graph import Prediction, Tensor, numbers, predictor


@predictor("sklearn.LinearRegression", "sklearn.Ridge", "sklearn.RidgeCV", "sklearn.Lasso")
def linear_regressor(estimator: Any, rows: Tensor) -> Prediction:
    coef = np.asarray(estimator.coef_, np.float64)
    values = numbers(rows) @ (coef.T if coef.ndim == 2 else coef[:, None]) + np.asarray(
        estimator.intercept_, np.float64
    )
    return Prediction(values.reshape(-1) if coef.ndim == 1 else values)
