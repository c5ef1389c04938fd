"""How far two sets of answers lie apart: labels by equality, numbers by their scale."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.bundle import Answers

SCALED_TOLERANCE = 1e-5


class Agreement(NamedTuple):
    """The largest differences found, and the share of labels that are equal (1.0 where there are no labels)."""

    max_abs_diff: float = 0.0
    max_scaled_diff: float = 0.0
    label_agreement: float = 1.0

    @property
    def holds(self) -> bool:
        """Whether labels are all equal and numbers within ``SCALED_TOLERANCE`` of their scale."""
        return self.label_agreement == 1.0 and self.max_scaled_diff <= SCALED_TOLERANCE


def compare(expected: Answers, got: Answers, *, scale: Answers | None = None) -> Agreement:
    """Compares answers to the same rows.

    A number's scale is its own magnitude, or the median magnitude of its column in ``scale`` (by default the
    expected answers) where that is larger; of a probability it is 1. NaN agrees with NaN only, an infinity with itself.
    """
    reference = scale or expected
    found = [_compare(expected.predictions, got.predictions, reference.predictions)]
    for theirs, ours in zip(_parts(expected.probabilities), _parts(got.probabilities), strict=True):
        found.append(_compare_numbers(theirs, ours, np.ones(theirs.shape[1:])))
    if expected.decision_values is not None:
        found.append(_compare(expected.decision_values, got.decision_values, reference.decision_values))
    return Agreement(
        max(part.max_abs_diff for part in found),
        max(part.max_scaled_diff for part in found),
        min(part.label_agreement for part in found),
    )


def _parts(probabilities: NDArray[Any] | tuple[NDArray[Any], ...] | None) -> tuple[NDArray[Any], ...]:
    if probabilities is None:
        return ()
    return probabilities if isinstance(probabilities, tuple) else (probabilities,)


def _compare(expected: NDArray[Any], got: NDArray[Any] | None, reference: NDArray[Any] | None) -> Agreement:
    if got is None or expected.shape != got.shape:
        return Agreement(np.inf, np.inf, 0.0)
    if expected.dtype.kind != "f":
        same = (expected == got) & (_kind(expected) == _kind(got))
        return Agreement(label_agreement=float(np.mean(same)) if expected.size else 1.0)
    magnitudes = np.abs(expected if reference is None else reference)
    finite = np.where(np.isfinite(magnitudes), magnitudes, np.nan)
    typical = np.zeros(finite.shape[1:]) if np.isnan(finite).all() else np.nanmedian(finite, axis=0)
    return _compare_numbers(expected, got, np.nan_to_num(typical))


def _kind(labels: NDArray[Any]) -> str:
    """The kind of the labels' dtype; whole numbers are one kind, with a sign or without: JSON has them alike."""
    return labels.dtype.kind.replace("u", "i")


def _compare_numbers(expected: NDArray[Any], got: NDArray[Any], typical: NDArray[Any]) -> Agreement:
    if expected.shape != got.shape:
        return Agreement(np.inf, np.inf, 0.0)
    if not expected.size:
        return Agreement()
    same = (expected == got) | (np.isnan(expected) & np.isnan(got))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.where(same, 0.0, np.abs(expected.astype(np.float64) - got.astype(np.float64)))
        scale = np.maximum(np.maximum(np.abs(expected), typical), np.finfo(np.float64).tiny)
        scaled = np.where(same, 0.0, difference / scale)
    return Agreement(float(np.nan_to_num(difference, nan=np.inf).max()), float(np.nan_to_num(scaled, nan=np.inf).max()))
