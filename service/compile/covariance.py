"""The graph of the elliptic envelope: Mahalanobis distances held against an offset."""

from __future__ import annotations

from typing import Any

from service.compile.arrays import float64
from service.compile.elementary import sqrt, square
from service.compile.graph import Prediction, Tensor, numbers, predictor
from service.compile.linear import inliers
from service.compile.scalar import total


@predictor("sklearn.EllipticEnvelope")
def elliptic_envelope(estimator: Any, rows: Tensor) -> Prediction:
    """The distance is rooted and squared again, as scikit-learn does on its way through SciPy."""
    deviations = numbers(rows) - float64(estimator.location_)
    distances = total(deviations @ float64(estimator.get_precision()).T * deviations).reshape(-1)
    values = -square(sqrt(distances)) - float(estimator.offset_)
    return Prediction(inliers(values.greater_equal(0.0)), decision_values=values)
