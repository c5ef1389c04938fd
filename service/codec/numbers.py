"""The rules of all columns of numbers at once, held against a whole matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.codec.columns import NumberColumn


class NumberRules:
    """Bounds, whole numbers and closed sets as arrays of one entry a column."""

    def __init__(self, columns: Sequence[NumberColumn]) -> None:
        self._low = np.array([column.low for column in columns])
        self._high = np.array([column.high for column in columns])
        self._whole = [i for i, column in enumerate(columns) if column.whole]
        self._allowed = [(i, np.array(sorted(c.allowed))) for i, c in enumerate(columns) if c.allowed is not None]
        # Between these a number keeps the bounds of every column, and most do.
        self._highest_low = max((column.low for column in columns), default=0.0)
        self._lowest_high = min((column.high for column in columns), default=0.0)
        self._only_bounds = not (self._whole or self._allowed)

    def hold(self, numbers: NDArray[np.float64], missing: NDArray[np.bool_] | None = None) -> bool:
        """Whether every number (rows, columns) that is not missing keeps its column's rules."""
        if self._only_bounds and self._keep_all_bounds(numbers, some_missing=missing is not None):
            return True
        fine = (numbers >= self._low) & (numbers <= self._high)
        for i in self._whole:
            fine[:, i] &= np.floor(numbers[:, i]) == numbers[:, i]
        for i, allowed in self._allowed:
            fine[:, i] &= np.isin(numbers[:, i], allowed)
        return bool(fine.all() if missing is None else (fine | missing).all())

    def _keep_all_bounds(self, numbers: NDArray[np.float64], *, some_missing: bool) -> bool:
        if not numbers.size:
            return False
        least, most = (np.fmin, np.fmax) if some_missing else (np.minimum, np.maximum)  # those leave NaN out
        low, high = least.reduce(numbers, axis=None), most.reduce(numbers, axis=None)
        return bool(low >= self._highest_low and high <= self._lowest_high)
