"""What estimators hold as arrays, brought to the one form that graphs use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float64]


def float64(values: Any) -> Block:
    """A dense float64 array of an array, a number or a sparse matrix; float32 values keep their worth."""
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, np.float64)
