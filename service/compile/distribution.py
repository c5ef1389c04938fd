"""Graphs of transformers that reshape a distribution: powers and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile import graph, scalar, special
from service.compile.graph import Tensor, UnsupportedError, numbers, transformer
from service.compile.lookup import clip, interpolate

EPS = float(np.finfo(np.float64).eps)
BOX_COX_LOGARITHM = 1e-19  # SciPy's bound of |lambda| below which it takes the logarithm
BOX_COX_OVERFLOW = 709.78  # and of the exponent from which it divides inside
QUANTILE_BOUND = 1e-7  # scikit-learn's BOUNDS_THRESHOLD


@transformer("sklearn.PowerTransformer")
def power_transformer(estimator: Any, rows: Tensor) -> Tensor:
    lambdas = np.asarray(estimator.lambdas_, np.float64)
    power = {"box-cox": box_cox, "yeo-johnson": yeo_johnson}[estimator.method](numbers(rows), lambdas)
    return graph.transform(estimator._scaler, power) if estimator.standardize else power


def box_cox(rows: Tensor, lambdas: NDArray[np.float64]) -> Tensor:
    """``scipy.special.boxcox`` of each column by its lambda."""
    logarithm = scalar.log(rows)
    flat = np.abs(lambdas) < BOX_COX_LOGARITHM
    divisor = np.where(flat, 1.0, lambdas)
    exponent = logarithm * lambdas
    huge = scalar.exp(exponent - np.log(np.abs(divisor))) * np.sign(lambdas) - 1.0 / divisor
    power = rows.graph.where(exponent.less(BOX_COX_OVERFLOW), special.expm1(exponent) / divisor, huge)
    return rows.graph.where(rows.graph.constant(flat), logarithm, power)


def yeo_johnson(rows: Tensor, lambdas: NDArray[np.float64]) -> Tensor:
    """``scipy.stats.yeojohnson`` of each column by its lambda: Box-Cox of |x| + 1, mirrored below zero."""
    positive = rows.greater_equal(0.0)
    above = np.where(np.abs(lambdas) < EPS, 0.0, lambdas)
    below = np.where(np.abs(lambdas - 2) > EPS, 2 - lambdas, 0.0)
    exponent = rows.graph.where(positive, above, below)
    flat = exponent.equals(0.0)
    logarithm = special.log1p(rows.graph.op("Abs", rows))
    power = special.expm1(exponent * logarithm) / rows.graph.where(flat, 1.0, exponent)
    size = rows.graph.where(flat, logarithm, power)
    return rows.graph.where(positive, size, -size)


@transformer("sklearn.QuantileTransformer")
def quantile_transformer(estimator: Any, rows: Tensor) -> Tensor:
    if rows.sparse:
        raise UnsupportedError("quantiles of a sparse matrix leave its zeros alone")
    values = numbers(rows)
    quantiles = list(np.asarray(estimator.quantiles_, np.float64).T)
    references = [np.asarray(estimator.references_, np.float64)] * len(quantiles)
    rising = interpolate(values, quantiles, references)
    falling = interpolate(-values, [-q[::-1] for q in quantiles], [-r[::-1] for r in references])
    mean = (rising - falling) * 0.5
    normal = estimator.output_distribution == "normal"
    lower, upper = _bounds(values, quantiles, normal=normal)
    uniform = values.graph.where(lower, 0.0, values.graph.where(upper, 1.0, mean))
    return _normal(uniform) if normal else uniform


def _bounds(values: Tensor, quantiles: list[NDArray[np.float64]], *, normal: bool) -> tuple[Tensor, Tensor]:
    first, last = np.array([q[0] for q in quantiles]), np.array([q[-1] for q in quantiles])
    if normal:
        return (values - QUANTILE_BOUND).less(first), (values + QUANTILE_BOUND).greater(last)
    return values.equals(first), values.equals(last)


def _normal(uniform: Tensor) -> Tensor:
    """scikit-learn clips the quantile; clipping the probability is the same, the quantile being monotonic."""
    bound = QUANTILE_BOUND - EPS
    return special.normal_quantile(clip(uniform, bound, 1.0 - bound))
