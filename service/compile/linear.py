"""Graphs of linear models: one matrix product, and what turns it into classes or probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.arrays import float64
from service.compile.elementary import maximum, minimum
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.scalar import exp, expit, softmax, total, two_columns

_REGRESSORS = [
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "LinearRegression",
    "LinearSVR",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "PassiveAggressiveRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
]


def linear_scores(estimator: Any, rows: Tensor) -> Tensor:
    """``rows @ coef_.T + intercept_`` as (n, outputs)."""
    coef = np.atleast_2d(float64(estimator.coef_))
    return numbers(rows) @ coef.T + float64(estimator.intercept_)


@predictor(*(f"sklearn.{name}" for name in _REGRESSORS))
def linear_regressor(estimator: Any, rows: Tensor) -> Prediction:
    scores = linear_scores(estimator, rows)
    return Prediction(scores if np.ndim(estimator.coef_) == 2 else scores.reshape(-1))


@predictor("sklearn.GammaRegressor", "sklearn.PoissonRegressor", "sklearn.TweedieRegressor")
def generalized_linear_regressor(estimator: Any, rows: Tensor) -> Prediction:
    scores = linear_scores(estimator, rows).reshape(-1)
    link = type(estimator._base_loss.link).__name__
    if link not in ("IdentityLink", "LogLink"):
        raise UnsupportedError(f"the link {link} has no graph")
    return Prediction(exp(scores) if link == "LogLink" else scores)


@predictor("sklearn.RANSACRegressor")
def ransac_regressor(estimator: Any, rows: Tensor) -> Prediction:
    return graph.predict(estimator.estimator_, rows)


@predictor(
    "sklearn.LinearSVC",
    "sklearn.PassiveAggressiveClassifier",
    "sklearn.Perceptron",
    "sklearn.RidgeClassifier",
    "sklearn.RidgeClassifierCV",
)
def linear_classifier(estimator: Any, rows: Tensor) -> Prediction:
    scores = linear_scores(estimator, rows)
    binarizer = getattr(estimator, "_label_binarizer", None)
    if binarizer is not None and binarizer.y_type_.startswith("multilabel"):
        return Prediction(scores.greater(0.0).cast(np.int64), decision_values=scores)
    return classify(scores, binary=len(estimator.classes_) == 2)


@predictor("sklearn.LinearDiscriminantAnalysis", "sklearn.LogisticRegression", "sklearn.LogisticRegressionCV")
def logistic_classifier(estimator: Any, rows: Tensor) -> Prediction:
    scores = linear_scores(estimator, rows)
    binary = len(estimator.classes_) == 2
    probabilities = two_columns(expit(scores)) if binary else softmax(scores)
    return classify(scores, binary=binary)._replace(probabilities=probabilities)


@predictor("sklearn.SGDClassifier")
def sgd_classifier(estimator: Any, rows: Tensor) -> Prediction:
    scores = linear_scores(estimator, rows)
    binary = len(estimator.classes_) == 2
    prediction = classify(scores, binary=binary)
    if estimator.loss == "log_loss":
        likelihoods = expit(scores)
    elif estimator.loss == "modified_huber":
        likelihoods = (minimum(maximum(scores, -1.0), 1.0) + 1.0) / 2.0
    else:
        return prediction
    probabilities = two_columns(likelihoods) if binary else _shares(likelihoods, len(estimator.classes_))
    return prediction._replace(probabilities=probabilities)


@predictor("sklearn.SGDOneClassSVM")
def sgd_outlier_detector(estimator: Any, rows: Tensor) -> Prediction:
    scores = numbers(rows) @ np.atleast_2d(float64(estimator.coef_)).T - float64(estimator.offset_)
    values = scores.reshape(-1)
    return Prediction(inliers(values.greater_equal(0.0)), decision_values=values)


def classify(scores: Tensor, *, binary: bool) -> Prediction:
    """Class indices and decision values; in the binary case of (n, 1) scores, positive for the second class."""
    if binary:
        values = scores.reshape(-1)
        return Prediction(values.greater(0.0).cast(np.int64), decision_values=values)
    return Prediction(scores.argmax(), decision_values=scores)


def inliers(condition: Tensor) -> Tensor:
    """The labels of outlier detection: 1 where the condition holds, else -1; int64."""
    return condition.graph.where(condition, np.array(1, np.int64), np.array(-1, np.int64))


def _shares(likelihoods: Tensor, classes: int) -> Tensor:
    """One-vs-rest likelihoods brought to the sum 1; all classes alike where every one of them is zero."""
    builder = likelihoods.graph
    whole = total(likelihoods)
    none = whole.equals(0.0)
    return builder.where(none, 1.0, likelihoods) / builder.where(none, classes, whole)
