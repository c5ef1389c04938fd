"""What one estimator hands to another that is built on it: labels, places among other classes, scores.

As ``sklearn.utils._response`` and ``sklearn.multiclass`` ask for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor

from service.compile.graph import Prediction, Tensor, UnsupportedError


def decision_values(prediction: Prediction) -> Tensor:
    if prediction.decision_values is None:
        raise UnsupportedError("no exact graph for an inner decision function")
    return prediction.decision_values


def probabilities(prediction: Prediction) -> Tensor:
    if not isinstance(prediction.probabilities, Tensor):
        raise UnsupportedError("no exact graph for an inner estimator's probabilities")
    return prediction.probabilities


def labels(estimator: Any, prediction: Prediction) -> Tensor:
    """What the estimator predicts, as numbers: float64 (n,). Raises UnsupportedError where labels are not numbers."""
    if not is_classifier(estimator):
        return prediction.predictions.cast(np.float64)
    classes = np.asarray(estimator.classes_)
    if classes.dtype.kind not in "biuf" or classes.ndim != 1:
        raise UnsupportedError("an inner classifier's labels are not numbers")
    return prediction.predictions.graph.op("Gather", classes.astype(np.float64), prediction.predictions)


def places(estimator: Any, prediction: Prediction, classes: NDArray[Any]) -> Tensor:
    """The place among ``classes`` of the label that the inner classifier predicts; int64 (n,)."""
    order = {label: place for place, label in enumerate(classes.tolist())}
    table = np.array([order[label] for label in np.asarray(estimator.classes_).tolist()], np.int64)
    if np.array_equal(table, np.arange(len(classes))):
        return prediction.predictions
    return prediction.predictions.graph.op("Gather", table, prediction.predictions)


def first_method(estimator: Any, methods: Sequence[str]) -> str:
    """The first of the methods that the estimator has, as scikit-learn chooses."""
    return next(method for method in methods if hasattr(estimator, method))


def response(estimator: Any, prediction: Prediction, methods: Sequence[str], positive: Any = None) -> Tensor:
    """What the first method that the estimator has answers: (n,) for two classes, else (n, classes).

    ``positive`` is the label whose score is wanted of two, the last if None.
    """
    method = first_method(estimator, methods)
    if method == "predict":
        return labels(estimator, prediction)
    if method not in ("decision_function", "predict_proba"):
        raise UnsupportedError(f"no exact graph for {method}")
    classes = np.asarray(estimator.classes_)
    if method == "predict_proba":
        columns = probabilities(prediction)
        if len(classes) > 2:
            return columns
        place = 1 if positive is None else int(np.flatnonzero(classes == positive)[0])
        return columns.columns([place]).reshape(-1)
    values = decision_values(prediction)
    return -values if len(classes) == 2 and positive is not None and positive == classes[0] else values


def binary_score(estimator: Any, prediction: Prediction) -> Tensor:
    """How much the estimator of two classes is for the second: (n, 1), as ``sklearn.multiclass._predict_binary``."""
    if is_regressor(estimator):
        return prediction.predictions.reshape(-1, 1)
    if hasattr(estimator, "decision_function"):
        return decision_values(prediction).reshape(-1, 1)
    return probabilities(prediction).columns([1])


def binary_threshold(estimator: Any) -> float:
    """Above which ``binary_score`` speaks for the second class."""
    return 0.0 if hasattr(estimator, "decision_function") and is_classifier(estimator) else 0.5
