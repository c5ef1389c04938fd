"""The graph of isotonic regression: linear interpolation between thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.arrays import float64
from service.compile.dummy import repeated
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.lookup import clip, interpolate


@predictor("sklearn.IsotonicRegression")
def isotonic_regression(estimator: Any, rows: Tensor) -> Prediction:
    """Not a number beyond the thresholds, unless rows are clipped to them."""
    if estimator.out_of_bounds == "raise":
        raise UnsupportedError("rows out of bounds are refused")
    x, y = estimator.X_thresholds_, float64(estimator.y_thresholds_)
    if x.dtype != np.float64:
        raise UnsupportedError("the estimator works in float32")
    if len(x) == 1:
        return Prediction(repeated(rows, y).reshape(-1))
    values = numbers(rows)
    if estimator.out_of_bounds == "clip":
        values = clip(values, float(estimator.X_min_), float(estimator.X_max_))
    inside = rows.graph.op("And", values.greater_equal(x[0]), values.less_equal(x[-1]))
    return Prediction(rows.graph.where(inside, interpolate(values, [x], [y]), np.nan).reshape(-1))
