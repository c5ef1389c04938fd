"""Rows that lie on the splits of trees and one step beside them, in float32 and in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile.split_points import split_points

Rows = NDArray[np.float64]


def rows_on_splits(estimator: Any, sample: Rows, count: int = 400) -> Rows:
    """Rows of the sample whose columns are set, one after the other, to values on and next to the splits there."""
    random = np.random.default_rng(5)
    points = split_points(estimator)
    assert points
    rows = sample[random.integers(len(sample), size=count)]
    for column, values in points.items():
        changed = random.random(count) < 0.7
        rows[changed, column] = random.choice(_neighbours(values), int(changed.sum()))
    return rows


def _neighbours(values: Rows) -> Rows:
    single = values.astype(np.float32)
    near = (
        values,
        np.nextafter(values, -np.inf),
        np.nextafter(values, np.inf),
        single,
        np.nextafter(single, np.float32(-np.inf)),
        np.nextafter(single, np.float32(np.inf)),
    )
    return np.concatenate([part.astype(np.float64) for part in near])
