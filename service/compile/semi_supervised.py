"""Graphs of semi-supervised classifiers."""

from __future__ import annotations

from typing import Any

from service.compile import graph
from service.compile.arrays import float64
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.kernels import rbf
from service.compile.scalar import total


@predictor("sklearn.LabelPropagation", "sklearn.LabelSpreading")
def label_propagation(estimator: Any, rows: Tensor) -> Prediction:
    """Far from every training row all weights are zero, and scikit-learn's probabilities are not a number."""
    if estimator.kernel != "rbf":  # sums of neighbours' labels tie by the order of equally far neighbours
        raise UnsupportedError(f"the kernel {estimator.kernel} has no exact graph")
    weights = rbf(numbers(rows), float64(estimator.X_), float(estimator.gamma))
    likelihoods = weights @ float64(estimator.label_distributions_)
    probabilities = likelihoods / total(likelihoods)
    return Prediction(probabilities.argmax(), probabilities)


@predictor("sklearn.SelfTrainingClassifier")
def self_training(estimator: Any, rows: Tensor) -> Prediction:
    return graph.predict(estimator.estimator_, rows)
