"""Kernels between rows and fixed points, (n, points), by the formulas of ``sklearn.metrics.pairwise``."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from service.compile.arrays import Block, float64
from service.compile.distances import expanded_squares, manhattan, squared_norms
from service.compile.elementary import power, sqrt, square
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.scalar import exp, tanh

_ZERO_NORM = 10 * np.finfo(np.float64).eps  # below it scikit-learn does not scale a row


@predictor("sklearn.KernelRidge")
def kernel_ridge(estimator: Any, rows: Tensor) -> Prediction:
    coef = float64(estimator.dual_coef_)
    values = pairwise(
        estimator.kernel, numbers(rows), float64(estimator.X_fit_), estimator.gamma, estimator.degree, estimator.coef0
    )
    values = values @ coef.reshape(len(coef), -1)
    return Prediction(values.reshape(-1) if coef.ndim == 1 else values)


def rbf(rows: Tensor, points: Block, gamma: float) -> Tensor:
    return exp(expanded_squares(rows, points) * -gamma)


def pairwise(kernel: Any, rows: Tensor, points: Block, gamma: float | None, degree: float, coef0: float) -> Tensor:
    """As ``sklearn.metrics.pairwise.pairwise_kernels``; no ``gamma`` is one over the features, of chi2 one."""
    width = 1.0 if kernel == "chi2" else 1.0 / points.shape[1]
    gamma = width if gamma is None else float(gamma)
    if kernel == "linear":
        return rows @ points.T
    if kernel == "rbf":
        return rbf(rows, points, gamma)
    if kernel == "laplacian":
        return exp(manhattan(rows, points) * -gamma)
    if kernel == "cosine":
        norms = np.linalg.norm(points, axis=1, keepdims=True)
        return _unit(rows) @ (points / np.where(norms < _ZERO_NORM, 1.0, norms)).T
    if kernel in ("poly", "polynomial"):
        return power(rows @ points.T * gamma + float(coef0), float(degree))
    if kernel == "sigmoid":
        return tanh(rows @ points.T * gamma + float(coef0))
    if kernel in ("additive_chi2", "chi2"):
        similarity = -reduce(Tensor.__add__, [_chi2(rows.columns([i]), points[:, i]) for i in range(points.shape[1])])
        return exp(similarity * gamma) if kernel == "chi2" else similarity
    raise UnsupportedError(f"the kernel {kernel} has no graph" if isinstance(kernel, str) else "a kernel of the user's")


def _chi2(column: Tensor, points: Block) -> Tensor:
    """The squared difference over the sum, zero where both are zero."""
    total = column + points
    none = total.equals(0.0)
    return column.graph.where(none, 0.0, square(column - points) / column.graph.where(none, 1.0, total))


def _unit(rows: Tensor) -> Tensor:
    norms = sqrt(squared_norms(rows))
    return rows / rows.graph.where(norms.less(_ZERO_NORM), 1.0, norms)
