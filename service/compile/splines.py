"""The graph of SplineTransformer: the Cox-de Boor recursion, all features at once."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import numpy as np

from service.compile.graph import Tensor, numbers, transformer
from service.compile.lookup import clip, count_edges, take
from service.compile.tree_ensemble import Floats


@transformer("sklearn.SplineTransformer")
def spline_transformer(estimator: Any, rows: Tensor) -> Tensor:
    values = numbers(rows)
    knots = np.array([spline.t for spline in estimator.bsplines_])
    width = estimator.bsplines_[0].c.shape[1]
    outside = _Outside(estimator, width) if estimator.extrapolation in ("constant", "linear") else None
    if outside is not None:
        inside = clip(values, outside.low, outside.high)
    elif estimator.extrapolation == "periodic":
        inside = _wrap(values, knots, estimator.degree)
    else:
        inside = values
    splines = _design(inside, knots, estimator.degree, width)
    column = values.reshape(-1, len(knots), 1)
    if outside is not None:
        splines = outside.extend(column, splines)
    if estimator.handle_missing == "zeros":
        splines = values.graph.where(values.graph.isnan(column), 0.0, splines)
    flat = splines.reshape(-1, len(knots) * width)
    if not estimator.include_bias:
        flat = flat.columns([j for j in range(len(knots) * width) if (j + 1) % width != 0])
    flat.sparse = estimator.sparse_output
    return flat


def _wrap(values: Tensor, knots: Floats, degree: int) -> Tensor:
    """Into the first period; a column of one value has none and becomes zero. NumPy's remainder is never negative."""
    start = knots[:, degree]
    period = knots[:, -degree - 1] - start
    divisor = np.where(period > 0, period, 1.0)
    remainder = values.graph.op("Mod", values - start, divisor, fmod=1)
    remainder = values.graph.where(remainder.less(0.0), remainder + divisor, remainder)
    return values.graph.where(values.graph.constant(period > 0), remainder + start, 0.0)


def _design(values: Tensor, knots: Floats, degree: int, width: int) -> Tensor:
    """The value of each of ``width`` basis splines; (n, features, width). Those past the last wrap to the first."""
    intervals = count_edges(values, [row[degree + 1 : len(row) - degree - 1] for row in knots])
    basis = _basis(values, knots, degree, intervals)
    places = np.arange(width)
    parts = []
    for offset, value in enumerate(basis):
        place = intervals + np.array(offset)
        place = values.graph.where(place.greater_equal(np.array(width)), place - np.array(width), place)
        owns = place.reshape(-1, len(knots), 1).equals(places)
        parts.append(values.graph.where(owns, value.reshape(-1, len(knots), 1), 0.0))
    return reduce(operator.add, parts)


def _basis(values: Tensor, knots: Floats, degree: int, intervals: Tensor) -> list[Tensor]:
    """The degree + 1 splines that are not zero on each value's interval, as SciPy's ``_deBoor_D`` computes them."""
    near = {m: take(list(knots), intervals + np.array(degree + m)) for m in range(1 - degree, degree + 1)}
    repeated = bool((np.diff(knots, axis=1) == 0).any())
    basis = [values.graph.where(values.graph.isnan(values), values, values.graph.constant(1.0))]
    for order in range(1, degree + 1):
        lower, basis = basis, []
        carried = values.graph.constant(0.0)
        for n in range(1, order + 1):
            right, left = near[n], near[n - order]
            weight = _ratio(lower[n - 1], right - left, repeated=repeated)
            basis.append(carried + weight * (right - values))
            carried = weight * (values - left)
        basis.append(carried)
    return basis


def _ratio(value: Tensor, gap: Tensor, *, repeated: bool) -> Tensor:
    """The quotient; zero where two knots coincide."""
    if not repeated:
        return value / gap
    none = gap.equals(0.0)
    return value.graph.where(none, 0.0, value / value.graph.where(none, 1.0, gap))


class _Outside:
    """What the splines of each feature are beyond its boundary knots: a value and a slope, (features, width)."""

    def __init__(self, estimator: Any, width: int) -> None:
        shape = (len(estimator.bsplines_), width)
        self.low, self.high = np.zeros(shape[0]), np.zeros(shape[0])
        self._values = np.zeros((2, *shape))
        self._slopes = np.zeros((2, *shape)) if estimator.extrapolation == "linear" else None
        degree = estimator.degree
        for feature, spline in enumerate(estimator.bsplines_):
            self.low[feature], self.high[feature] = spline.t[degree], spline.t[-degree - 1]
            # scikit-learn raises the degree for this feature's splines and keeps it for the next features' boundaries.
            if self._slopes is not None and degree <= 1:
                degree += 1
            for side, (bound, ends) in enumerate(
                ((self.low[feature], slice(0, degree)), (self.high[feature], slice(width - degree, width)))
            ):
                self._values[side, feature, ends] = spline(bound)[ends]
                if self._slopes is not None:
                    self._slopes[side, feature, ends] = spline(bound, nu=1)[ends]

    def extend(self, column: Tensor, splines: Tensor) -> Tensor:
        """``column`` is (n, features, 1)."""
        below, above = column.less(self.low[:, None]), column.greater(self.high[:, None])
        splines = column.graph.where(below, self._continued(column, self.low, 0), splines)
        return column.graph.where(above, self._continued(column, self.high, 1), splines)

    def _continued(self, column: Tensor, bound: Floats, side: int) -> Tensor:
        if self._slopes is None:
            return column.graph.constant(self._values[side])
        risen: Tensor = (column - bound[:, None]) * self._slopes[side] + self._values[side]
        return risen
