"""The kernels of ``sklearn.gaussian_process.kernels`` as graphs, by its own formulas.

A covariance is a tensor of shape (n, points), or a number where it is the same for every row and point.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from service.compile.arrays import Block, float64
from service.compile.distances import direct_squares, squared_norms
from service.compile.elementary import power, sqrt, square
from service.compile.graph import Tensor, UnsupportedError
from service.compile.scalar import exp

Covariance = Tensor | float


def covariance(kernel: Any, rows: Tensor, points: Block) -> Covariance:
    """``kernel(rows, points)``. Raises UnsupportedError."""

    def simple(part: Any) -> Covariance:
        name = type(part).__name__
        if name == "ConstantKernel":
            return float(part.constant_value)
        if name == "WhiteKernel":
            return 0.0  # between different rows
        if name not in _SIMPLE:
            raise UnsupportedError(f"the kernel {name} has no graph")
        return _SIMPLE[name](part, rows, points)

    return _fold(kernel, simple)


def variance(kernel: Any, rows: Tensor) -> Covariance:
    """``kernel.diag(rows)``, (n, 1) or a number, of a kernel that ``covariance`` takes."""

    def simple(part: Any) -> Covariance:
        name = type(part).__name__
        if name == "DotProduct":
            return squared_norms(rows) + float(part.sigma_0) ** 2
        if name == "ConstantKernel":
            return float(part.constant_value)
        return float(part.noise_level) if name == "WhiteKernel" else 1.0

    return _fold(kernel, simple)


def _fold(kernel: Any, simple: Callable[[Any], Covariance]) -> Covariance:
    """Sums, products and powers of what ``simple`` answers for the kernels that they are made of."""
    name = type(kernel).__name__
    if name == "Exponentiation":
        base = _fold(kernel.kernel, simple)
        return power(base, kernel.exponent) if isinstance(base, Tensor) else base**kernel.exponent
    if name not in ("Sum", "Product"):
        return simple(kernel)
    first, second = _fold(kernel.k1, simple), _fold(kernel.k2, simple)
    if not isinstance(first, Tensor):
        first, second = second, first
    combined: Covariance = (operator.add if name == "Sum" else operator.mul)(first, second)
    return combined


def _radial(kernel: Any, rows: Tensor, points: Block) -> Tensor:
    return exp(_scaled_squares(kernel, rows, points) * -0.5)


def _matern(kernel: Any, rows: Tensor, points: Block) -> Tensor:
    distances = sqrt(_scaled_squares(kernel, rows, points))
    if kernel.nu == 0.5:
        return exp(-distances)
    if kernel.nu == 1.5:
        scaled = distances * math.sqrt(3)
        return (scaled + 1.0) * exp(-scaled)
    if kernel.nu == 2.5:
        scaled = distances * math.sqrt(5)
        return (scaled + 1.0 + square(scaled) / 3.0) * exp(-scaled)
    if kernel.nu == np.inf:
        return exp(square(distances) / -2.0)
    raise UnsupportedError(f"the Matern kernel of nu {kernel.nu} rests on a Bessel function")


def _rational_quadratic(kernel: Any, rows: Tensor, points: Block) -> Tensor:
    scaled = direct_squares(rows, points) / (2 * kernel.alpha * kernel.length_scale**2)
    return power(scaled + 1.0, -kernel.alpha)


def _periodic(kernel: Any, rows: Tensor, points: Block) -> Tensor:
    angles = sqrt(direct_squares(rows, points)) * np.pi / kernel.periodicity
    sines = rows.graph.op("Sin", angles)
    return exp(square(sines / kernel.length_scale) * -2.0)


def _dot_product(kernel: Any, rows: Tensor, points: Block) -> Tensor:
    return rows @ points.T + float(kernel.sigma_0) ** 2


def _scaled_squares(kernel: Any, rows: Tensor, points: Block) -> Tensor:
    scale = float64(kernel.length_scale)
    return direct_squares(rows / scale, points / scale)


_SIMPLE: dict[str, Callable[[Any, Tensor, Block], Tensor]] = {
    "RBF": _radial,
    "Matern": _matern,
    "RationalQuadratic": _rational_quadratic,
    "ExpSineSquared": _periodic,
    "DotProduct": _dot_product,
}
