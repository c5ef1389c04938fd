"""Graphs of support vector machines by the formulas of libsvm: its votes, ties and coupling of probabilities."""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from service.compile.arrays import Block, float64
from service.compile.coupling import couple
from service.compile.distances import direct_squares, expanded_squares
from service.compile.elementary import absolute, power
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.linear import inliers
from service.compile.scalar import exp, tanh

_KERNEL_TOLERANCE = 1e-11  # of a kernel's value, for the expanded square to take the place of direct differences


@predictor("sklearn.NuSVR", "sklearn.SVR")
def support_vector_regressor(estimator: Any, rows: Tensor) -> Prediction:
    return Prediction(_one_sum(estimator, rows))


@predictor("sklearn.OneClassSVM")
def one_class(estimator: Any, rows: Tensor) -> Prediction:
    values = _one_sum(estimator, rows)
    return Prediction(inliers(values.greater(0.0)), decision_values=values)


@predictor("sklearn.NuSVC", "sklearn.SVC")
def support_vector_classifier(estimator: Any, rows: Tensor) -> Prediction:
    pairs = _Pairs.of(len(estimator.classes_))
    margins = _kernel(estimator, rows) @ _pair_coefficients(estimator) + float64(estimator._intercept_)
    decisions = margins
    if pairs.classes == 2:
        decisions = -margins.reshape(-1)
    elif estimator.decision_function_shape == "ovr":
        decisions = _one_vs_rest(margins, pairs)
    by_decision = estimator.break_ties and pairs.classes > 2
    votes = decisions if by_decision else _votes(margins.greater(0.0), pairs)
    probabilities = None
    if len(estimator._probA):
        probabilities = couple(margins * estimator._probA + estimator._probB, pairs.classes)
    return Prediction(votes.argmax(), probabilities, decisions)


class _Pairs(NamedTuple):
    """The pairs of classes in libsvm's order; ``signs`` is +1 for a pair's first class, -1 for its second."""

    classes: int
    signs: Block

    @classmethod
    def of(cls, classes: int) -> _Pairs:
        unit = np.eye(classes)
        return cls(classes, np.array([unit[i] - unit[j] for i, j in combinations(range(classes), 2)]))


def _votes(first_wins: Tensor, pairs: _Pairs) -> Tensor:
    """How many pairs each class wins, (n, classes)."""
    return first_wins.cast(np.float64) @ pairs.signs + float64((pairs.signs < 0).sum(axis=0))


def _one_vs_rest(margins: Tensor, pairs: _Pairs) -> Tensor:
    """Votes, and summed margins squeezed to break their ties, as scikit-learn's ``_ovr_decision_function``."""
    sums = margins @ pairs.signs
    return sums / ((absolute(sums) + 1.0) * 3.0) + _votes(margins.greater_equal(0.0), pairs)


def _pair_coefficients(estimator: Any) -> Block:
    """(support vectors, pairs): a pair sums over the support vectors of its own two classes."""
    coef, counts = float64(estimator._dual_coef_), estimator._n_support
    owner = np.repeat(np.arange(len(counts)), counts)
    columns = []
    for i, j in combinations(range(len(counts)), 2):
        columns.append(np.where(owner == i, coef[j - 1], 0.0) + np.where(owner == j, coef[i], 0.0))
    return np.stack(columns, axis=1)


def _one_sum(estimator: Any, rows: Tensor) -> Tensor:
    return (_kernel(estimator, rows) @ float64(estimator._dual_coef_).T + float64(estimator._intercept_)).reshape(-1)


def _kernel(estimator: Any, rows: Tensor) -> Tensor:
    """Between rows and support vectors, (n, support vectors)."""
    plain, vectors, gamma = numbers(rows), float64(estimator.support_vectors_), float(estimator._gamma)
    if estimator.kernel == "linear":
        return plain @ vectors.T
    if estimator.kernel == "rbf":
        return _radial(plain, vectors, gamma)
    if estimator.kernel == "poly":
        return _integer_power(plain @ vectors.T * gamma + float(estimator.coef0), int(estimator.degree))
    if estimator.kernel == "sigmoid":
        return tanh(plain @ vectors.T * gamma + float(estimator.coef0))
    raise UnsupportedError("a kernel of the user's own, or a precomputed one, has no graph")


def _radial(rows: Tensor, vectors: Block, gamma: float) -> Tensor:
    """libsvm takes direct differences.

    The expanded square about the vectors' center is one matrix product. Its error is in proportion to their spread, and
    harmless unless the kernel is far narrower than that.
    """
    center = vectors.mean(axis=0)
    centered = vectors - center
    spread = float(np.einsum("ij,ij->i", centered, centered).max(initial=0.0))
    error = 4 * (vectors.shape[1] + 8) * float(np.finfo(np.float64).eps) * gamma * spread
    squares = expanded_squares(rows - center, centered) if error < _KERNEL_TOLERANCE else direct_squares(rows, vectors)
    return exp(squares * -gamma)


def _integer_power(values: Tensor, exponent: int) -> Tensor:
    """By repeated squaring, as libsvm's ``powi``."""
    result = power(values, 0.0)
    while exponent:
        if exponent % 2:
            result = result * values
        values = values * values
        exponent //= 2
    return result
