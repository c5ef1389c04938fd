"""Graphs of discriminant analysis: quadratic, by centroids, and the projection of the linear one."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.arrays import float64
from service.compile.distances import euclidean, expanded_squares, manhattan, nearest
from service.compile.elementary import square
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor, transformer
from service.compile.scalar import exp, log, total


@predictor("sklearn.QuadraticDiscriminantAnalysis")
def quadratic(estimator: Any, rows: Tensor) -> Prediction:
    plain = numbers(rows)
    norms = []
    for mean, rotation, scaling in zip(estimator.means_, estimator.rotations_, estimator.scalings_, strict=True):
        deviations = (plain - float64(mean)) @ float64(rotation * scaling**-0.5)
        norms.append(total(square(deviations)))
    determinants = float64([np.sum(np.log(scaling)) for scaling in estimator.scalings_])
    scores = (rows.graph.concat(norms) + determinants) * -0.5 + float64(np.log(estimator.priors_))
    return discriminate(scores, len(estimator.classes_))


@predictor("sklearn.NearestCentroid")
def nearest_centroid(estimator: Any, rows: Tensor) -> Prediction:
    plain, centroids = numbers(rows), float64(estimator.centroids_)
    distance = {"euclidean": euclidean, "manhattan": manhattan}[estimator.metric]
    deviation = np.where(estimator.within_class_std_dev_ == 0, 1.0, float64(estimator.within_class_std_dev_))
    squares = square(distance(plain / deviation, centroids / deviation))
    scores = -squares + float64(2.0 * np.log(estimator.class_prior_))
    prediction = discriminate(scores, len(estimator.classes_))
    if np.isclose(estimator.class_prior_, 1 / len(estimator.classes_)).all():
        among = expanded_squares if estimator.metric == "euclidean" else manhattan
        prediction = prediction._replace(predictions=nearest(among(plain, centroids)))
    if estimator.metric != "euclidean":
        return Prediction(prediction.predictions)
    return prediction


@transformer("sklearn.LinearDiscriminantAnalysis")
def linear_projection(estimator: Any, rows: Tensor) -> Tensor:
    plain = numbers(rows)
    if estimator.solver == "lsqr":
        raise UnsupportedError("the solver lsqr has no transform")
    if estimator.solver == "svd":
        plain = plain - float64(estimator.xbar_)
    return plain @ float64(estimator.scalings_)[:, : estimator._max_components]


def discriminate(scores: Tensor, classes: int) -> Prediction:
    """From (n, classes) log posteriors, as ``DiscriminantAnalysisPredictionMixin``."""
    shifted = scores - scores.max(1, keepdims=True)
    probabilities = exp(shifted - log(total(exp(shifted))))
    decisions = (scores.columns([1]) - scores.columns([0])).reshape(-1) if classes == 2 else scores
    return Prediction(scores.argmax(), probabilities, decisions)
