"""Graphs of scalers and other maps of single numbers, each operation in scikit-learn's order.

A scaler's output must be bitwise scikit-learn's, not merely close: a forest behind it rounds to float32, and a
last bit can carry a row over a split.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.arrays import Block, float64
from service.compile.graph import Tensor, numbers, transformer
from service.compile.lookup import clip
from service.compile.scalar import total

TINY_NORM = 10 * float(np.finfo(np.float64).eps)  # below it scikit-learn takes the norm of a dense row for zero


@transformer("sklearn.StandardScaler")
def standard_scaler(estimator: Any, rows: Tensor) -> Tensor:
    centred = _centre(numbers(rows), estimator.mean_ if estimator.with_mean else None)
    return _divide(centred, estimator.scale_ if estimator.with_std else None)


@transformer("sklearn.RobustScaler")
def robust_scaler(estimator: Any, rows: Tensor) -> Tensor:
    centred = _centre(numbers(rows), estimator.center_ if estimator.with_centering else None)
    return _divide(centred, estimator.scale_ if estimator.with_scaling else None)


@transformer("sklearn.MaxAbsScaler")
def max_abs_scaler(estimator: Any, rows: Tensor) -> Tensor:
    scaled = _divide(numbers(rows), estimator.scale_)
    return _as_sparse(rows, clip(scaled, -1.0, 1.0) if estimator.clip else scaled)


@transformer("sklearn.MinMaxScaler")
def min_max_scaler(estimator: Any, rows: Tensor) -> Tensor:
    scaled = numbers(rows) * float64(estimator.scale_) + float64(estimator.min_)
    low, high = map(float, estimator.feature_range)
    return clip(scaled, low, high) if estimator.clip else scaled


@transformer("sklearn.Normalizer")
def normalizer(estimator: Any, rows: Tensor) -> Tensor:
    return normalize(numbers(rows), estimator.norm)


def normalize(rows: Tensor, norm: str) -> Tensor:
    """``sklearn.preprocessing.normalize`` of rows; ``norm`` is l1, l2 or max."""
    if norm == "l2":
        norms = rows.graph.op("Sqrt", total(rows * rows))
    elif norm == "l1":
        norms = total(rows.graph.op("Abs", rows))
    else:
        norms = rows.graph.op("Abs", rows).max(1, keepdims=True)
    zero = norms.equals(0.0) if rows.sparse else norms.less(TINY_NORM)
    return _as_sparse(rows, rows / rows.graph.where(zero, 1.0, norms))


@transformer("sklearn.Binarizer")
def binarizer(estimator: Any, rows: Tensor) -> Tensor:
    return _as_sparse(rows, numbers(rows).greater(float(estimator.threshold)).cast(np.float64))


@transformer("sklearn.KernelCenterer")
def kernel_centerer(estimator: Any, rows: Tensor) -> Tensor:
    fitted = float64(estimator.K_fit_rows_)
    kernel = numbers(rows)
    return kernel - fitted - total(kernel) / len(fitted) + float(estimator.K_fit_all_)


def _centre(rows: Tensor, centre: Block | None) -> Tensor:
    return rows if centre is None else rows - float64(centre)


def _divide(rows: Tensor, scale: Block | None) -> Tensor:
    """By the scale, or times its inverse where scikit-learn holds the rows as a sparse matrix."""
    if scale is None:
        return rows
    return _as_sparse(rows, rows * (1.0 / float64(scale)) if rows.sparse else rows / float64(scale))


def _as_sparse(rows: Tensor, result: Tensor) -> Tensor:
    result.sparse = rows.sparse
    return result
