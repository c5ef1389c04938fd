"""Graphs of dummy estimators: the same answer for every row, which may be of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile.arrays import float64
from service.compile.graph import Prediction, Tensor, UnsupportedError, predictor


@predictor("sklearn.DummyClassifier")
def dummy_classifier(estimator: Any, rows: Tensor) -> Prediction:
    if estimator._strategy not in ("most_frequent", "prior", "constant"):
        raise UnsupportedError(f"the strategy {estimator._strategy} draws its answers at random")
    if estimator.sparse_output_:
        raise UnsupportedError("the answers are a sparse matrix")
    single = estimator.n_outputs_ == 1
    priors = [estimator.class_prior_] if single else estimator.class_prior_
    chosen = _chosen(estimator, priors)
    probabilities = [
        repeated(rows, float64(prior) if estimator._strategy == "prior" else np.eye(len(prior))[index])
        for prior, index in zip(priors, chosen, strict=True)
    ]
    predictions = repeated(rows, np.array(chosen, np.int64))
    if single:
        return Prediction(predictions.reshape(-1), probabilities[0])
    return Prediction(predictions, tuple(probabilities))


@predictor("sklearn.DummyRegressor")
def dummy_regressor(estimator: Any, rows: Tensor) -> Prediction:
    values = np.broadcast_to(float64(estimator.constant_), (1, estimator.n_outputs_))[0]
    predictions = repeated(rows, values)
    return Prediction(predictions.reshape(-1) if estimator.n_outputs_ == 1 else predictions)


def repeated(rows: Tensor, values: NDArray[Any]) -> Tensor:
    """The one-dimensional values once for each row: (n, values)."""
    builder = rows.graph
    width = builder.constant(np.array([len(values)], np.int64))
    shape = builder.concat([builder.op("Shape", rows, start=0, end=1), width], axis=0)
    return builder.op("Expand", values[None, :], shape)


def _chosen(estimator: Any, priors: list[Any]) -> list[int]:
    """The index of each output's one class."""
    if estimator._strategy != "constant":
        return [int(np.argmax(prior)) for prior in priors]
    classes = [estimator.classes_] if estimator.n_outputs_ == 1 else estimator.classes_
    return [int(np.flatnonzero(c == label)[0]) for c, label in zip(classes, np.ravel(estimator.constant), strict=True)]
