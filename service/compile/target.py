"""The graph of a regressor whose target was transformed: its answers are transformed back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from service.compile import functions, graph, special
from service.compile.arrays import float64
from service.compile.distribution import EPS
from service.compile.graph import Prediction, Tensor, UnsupportedError, predictor
from service.compile.lookup import interpolate
from service.compile.scalar import exp


@predictor("sklearn.TransformedTargetRegressor")
def transformed_target_regressor(estimator: Any, rows: Tensor) -> Prediction:
    answers = graph.predict(estimator.regressor_, rows).predictions
    outputs = int(estimator.transformer_.n_features_in_)  # the transformer was fitted on the target
    values = _invert(estimator.transformer_, answers.reshape(-1, outputs))
    return Prediction(values.reshape(-1) if estimator._training_dim == 1 else values)


def _invert(transformer: Any, values: Tensor) -> Tensor:
    """``transformer.inverse_transform``; (n, outputs). Raises UnsupportedError where it is not a known one."""
    inverse = _INVERSES.get(type(transformer).__name__)
    if inverse is None:
        raise UnsupportedError(f"no exact inverse of {type(transformer).__name__}")
    return inverse(transformer, values)


def _pipeline(transformer: Any, values: Tensor) -> Tensor:
    for _, step in reversed(transformer.steps):
        values = values if step is None or isinstance(step, str) else _invert(step, values)
    return values


def _function(transformer: Any, values: Tensor) -> Tensor:
    return functions.apply(transformer.inverse_func, transformer.inv_kw_args, values)


def _standard(transformer: Any, values: Tensor) -> Tensor:
    scaled = values * float64(transformer.scale_) if transformer.with_std else values
    return scaled + float64(transformer.mean_) if transformer.with_mean else scaled


def _robust(transformer: Any, values: Tensor) -> Tensor:
    scaled = values * float64(transformer.scale_) if transformer.with_scaling else values
    return scaled + float64(transformer.center_) if transformer.with_centering else scaled


def _min_max(transformer: Any, values: Tensor) -> Tensor:
    return (values - float64(transformer.min_)) / float64(transformer.scale_)


def _max_abs(transformer: Any, values: Tensor) -> Tensor:
    return values * float64(transformer.scale_)


def _power(transformer: Any, values: Tensor) -> Tensor:
    values = _standard(transformer._scaler, values) if transformer.standardize else values
    lambdas = float64(transformer.lambdas_)
    return _unbox(values, lambdas) if transformer.method == "box-cox" else _unbend(values, lambdas)


def _unbox(values: Tensor, lambdas: Any) -> Tensor:
    """``scipy.special.inv_boxcox``."""
    flat = lambdas == 0
    root = exp(special.log1p(values * lambdas) / np.where(flat, 1.0, lambdas))
    return values.graph.where(values.graph.constant(flat), exp(values), root)


def _unbend(values: Tensor, lambdas: Any) -> Tensor:
    """scikit-learn's inverse of Yeo-Johnson, which takes powers below and above zero."""
    positive = values.greater_equal(0.0)
    above = np.where(np.abs(lambdas) < EPS, 0.0, lambdas)
    below = np.where(np.abs(lambdas - 2) > EPS, 2 - lambdas, 0.0)
    exponent = values.graph.where(positive, above, below)
    flat, size = exponent.equals(0.0), values.graph.op("Abs", values)
    inverse = 1.0 / values.graph.where(flat, 1.0, exponent)
    root = values.graph.op("Pow", size * exponent + 1.0, inverse)
    grown = values.graph.where(flat, exp(size), root) - 1.0
    return values.graph.where(positive, grown, -grown)


def _quantile(transformer: Any, values: Tensor) -> Tensor:
    if transformer.output_distribution != "uniform":
        raise UnsupportedError("no exact inverse of normal quantiles")
    quantiles = list(float64(transformer.quantiles_).T)
    return interpolate(values, [float64(transformer.references_)] * len(quantiles), quantiles)


_INVERSES: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "FunctionTransformer": _function,
    "MaxAbsScaler": _max_abs,
    "MinMaxScaler": _min_max,
    "Pipeline": _pipeline,
    "PowerTransformer": _power,
    "QuantileTransformer": _quantile,
    "RobustScaler": _robust,
    "StandardScaler": _standard,
}
