"""Graphs of explicit features that approximate a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.arrays import float64
from service.compile.graph import Tensor, UnsupportedError, numbers, transformer
from service.compile.kernels import pairwise
from service.compile.scalar import log

_INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}  # scikit-learn's sampling interval by the number of steps


@transformer("sklearn.Nystroem")
def nystroem(estimator: Any, rows: Tensor) -> Tensor:
    if estimator.kernel_params:
        raise UnsupportedError("parameters of a kernel given as a dictionary")
    degree = 3 if estimator.degree is None else estimator.degree
    coef0 = 1 if estimator.coef0 is None else estimator.coef0
    points = float64(estimator.components_)
    kernel = pairwise(estimator.kernel, numbers(rows), points, estimator.gamma, degree, coef0)
    return kernel @ float64(estimator.normalization_).T


@transformer("sklearn.RBFSampler")
def rbf_sampler(estimator: Any, rows: Tensor) -> Tensor:
    return _cosines(estimator, numbers(rows)) * float((2.0 / estimator.n_components) ** 0.5)


@transformer("sklearn.SkewedChi2Sampler")
def skewed_chi2_sampler(estimator: Any, rows: Tensor) -> Tensor:
    logarithm = log(numbers(rows) + float(estimator.skewedness))
    return _cosines(estimator, logarithm) * float(np.sqrt(2.0) / np.sqrt(estimator.n_components))


def _cosines(estimator: Any, values: Tensor) -> Tensor:
    projection = values @ float64(estimator.random_weights_) + float64(estimator.random_offset_)
    return values.graph.op("Cos", projection)


@transformer("sklearn.AdditiveChi2Sampler")
def additive_chi2_sampler(estimator: Any, rows: Tensor) -> Tensor:
    """A zero stays zero; else the square root, and cosines and sines of the logarithm."""
    interval = estimator.sample_interval or _INTERVALS[estimator.sample_steps]
    values, builder = numbers(rows), rows.graph
    zero = values.equals(0.0)
    angle = log(builder.where(zero, 1.0, values)) * interval
    parts = [builder.op("Sqrt", values * interval)]
    for step in range(1, estimator.sample_steps):
        size = builder.op("Sqrt", values * 2.0 * interval / float(np.cosh(np.pi * step * interval)))
        parts += [size * builder.op(kind, angle * float(step)) for kind in ("Cos", "Sin")]
    result = Tensor(builder, builder.concat(parts).name)
    result.sparse = rows.sparse
    return result
