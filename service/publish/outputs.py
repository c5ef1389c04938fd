"""What an estimator answers: its task, the type and shape of its predictions, its classes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

from service.bundle import OutputDtype, Outputs, Task
from service.engines.sklearn import plain_labels
from service.errors import PublishError

_KINDS: dict[str, OutputDtype] = {"b": "bool", "i": "int64", "u": "int64", "f": "float64", "U": "string"}


def infer_task(estimator: Any) -> Task:
    """Raises PublishError if the estimator does not predict."""
    if not hasattr(estimator, "predict"):
        kind = type(estimator).__name__
        raise PublishError(f"{kind} has no predict method: it cannot answer for rows that it was not fitted on")
    if is_classifier(estimator):
        return "classification"
    if is_outlier_detector(estimator):
        return "outlier detection"
    if is_regressor(estimator):
        return "regression"
    if is_clusterer(estimator) or hasattr(estimator, "means_"):  # mixtures predict their component
        return "clustering"
    return "classification" if hasattr(estimator, "classes_") else "regression"


def infer_outputs(estimator: Any, given: Any) -> Outputs:
    """Asks the estimator about the sample rows.

    Raises PublishError if it refuses them, answers not once a row, or answers what JSON cannot hold.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            predictions = plain_labels(estimator.predict(given))
        except Exception as error:  # an estimator may raise anything
            reason = str(error).strip().partition("\n")[0][:300]
            raise PublishError(f"the estimator does not predict the sample rows: {reason}") from error
        probabilities = _try(estimator, "predict_proba", given)
        decision_values = _try(estimator, "decision_function", given)
    if predictions.shape[:1] != (len(given),):  # a vectorizer of texts takes a frame for the names of its columns
        raise PublishError(
            f"predictions for {len(given)} sample rows have the shape {predictions.shape}: not one a row"
        )
    if predictions.ndim > 2:
        raise PublishError(f"predictions have {predictions.ndim} dimensions; one value or one list a row can be served")
    classes, by_output = _classes(estimator, predictions)
    return Outputs(
        dtype=_dtype(predictions),
        width=None if predictions.ndim == 1 else predictions.shape[1],
        classes=classes,
        classes_by_output=by_output,
        probabilities=probabilities is not None,
        decision_width=None if decision_values is None else _width(np.asarray(decision_values)),
    )


def _try(estimator: Any, method: str, given: Any) -> Any:
    """What the method answers, or None where the estimator as configured has no such method or does not support it."""
    try:
        return getattr(estimator, method)(given)
    except Exception:
        return None


def _width(values: NDArray[Any]) -> int:
    return 0 if values.ndim == 1 else int(values.shape[1])


def _dtype(predictions: NDArray[Any]) -> OutputDtype:
    if predictions.dtype == np.float32:
        return "float32"
    kind: str = predictions.dtype.kind
    if kind == "O":  # labels as a trainer may have them: a column of a frame, say
        kinds = {np.asarray(cell).dtype.kind for cell in predictions.ravel().tolist()}
        kind = kinds.pop() if len(kinds) == 1 else "mixed"
    if kind not in _KINDS:
        raise PublishError(
            f"predictions of {predictions.dtype} cannot be served: labels are all strings or all numbers"
        )
    return _KINDS[kind]


def _classes(
    estimator: Any, predictions: NDArray[Any]
) -> tuple[tuple[Any, ...] | None, tuple[tuple[Any, ...], ...] | None]:
    classes = getattr(estimator, "classes_", None) if is_classifier(estimator) else None
    if classes is None:
        return None, None
    if isinstance(classes, list) and predictions.ndim == 2:
        return None, tuple(_labels(part) for part in classes)
    return _labels(classes), None


def _labels(classes: Any) -> tuple[Any, ...]:
    return tuple(np.asarray(classes).tolist())
