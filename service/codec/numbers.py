"""The rules of all columns of numbers at once, held against a whole matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.codec.columns import FLOAT64_MAX, NumberColumn


class NumberRules:
    """Bounds, whole numbers and closed sets as arrays of one entry a column."""

    def __init__(self, columns: Sequence[NumberColumn]) -> None:
        self._low = np.array([column.low for column in columns])
        self._high = np.array([column.high for column in columns])
        self._whole = [i for i, column in enumerate(columns) if column.whole]
        self._allowed = [(i, np.array(sorted(c.allowed))) for i, c in enumerate(columns) if c.allowed is not None]
        self.take_all_finite = not (
            self._whole or self._allowed or any(c.low > -FLOAT64_MAX or c.high < FLOAT64_MAX for c in columns)
        )
        """Whether there is nothing to hold finite numbers against."""

    def hold(self, numbers: NDArray[np.float64], missing: NDArray[np.bool_] | None = None) -> bool:
        """Whether every number (rows, columns) that is not missing keeps its column's rules."""
        fine = (numbers >= self._low) & (numbers <= self._high)
        for i in self._whole:
            fine[:, i] &= np.floor(numbers[:, i]) == numbers[:, i]
        for i, allowed in self._allowed:
            fine[:, i] &= np.isin(numbers[:, i], allowed)
        return bool(fine.all() if missing is None else (fine | missing).all())
