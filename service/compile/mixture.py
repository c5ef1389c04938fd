"""Graphs of Gaussian mixtures: the weighted log-density of each component, and its normalization."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import digamma

from service.compile.arrays import Block, float64
from service.compile.bayes import normalized
from service.compile.distances import squared_norms
from service.compile.elementary import square
from service.compile.graph import Prediction, Tensor, numbers, predictor
from service.compile.scalar import total


@predictor("sklearn.GaussianMixture")
def gaussian_mixture(estimator: Any, rows: Tensor) -> Prediction:
    return normalized(_log_density(estimator, rows) + float64(np.log(estimator.weights_)))


@predictor("sklearn.BayesianGaussianMixture")
def bayesian_gaussian_mixture(estimator: Any, rows: Tensor) -> Prediction:
    features, freedom = estimator.n_features_in_, estimator.degrees_of_freedom_
    halves = 0.5 * (freedom - np.arange(0, features)[:, np.newaxis])
    log_lambda = features * np.log(2.0) + np.sum(digamma(halves), 0)
    densities = _log_density(estimator, rows) - 0.5 * features * np.log(freedom)
    densities = densities + 0.5 * (log_lambda - features / estimator.mean_precision_)
    return normalized(densities + estimator._estimate_log_weights())


def _log_density(estimator: Any, rows: Tensor) -> Tensor:
    """Of each component, (n, components)."""
    kind, features = estimator.covariance_type, int(estimator.n_features_in_)
    means, factors = float64(estimator.means_), float64(estimator.precisions_cholesky_)
    distances = _DISTANCES[kind](numbers(rows), means, factors)
    return (distances + features * math.log(2 * math.pi)) * -0.5 + _log_determinants(kind, factors, features)


def _full(rows: Tensor, means: Block, factors: Block) -> Tensor:
    deviations = rows @ factors - means[:, None, :] @ factors
    sums = rows.graph.op("Transpose", total(square(deviations), axis=2), perm=[1, 0, 2])
    return sums.reshape(-1, len(means))


def _tied(rows: Tensor, means: Block, factor: Block) -> Tensor:
    deviations = (rows @ factor).reshape(-1, 1, len(factor)) - means @ factor
    return total(square(deviations), axis=2).reshape(-1, len(means))


def _diagonal(rows: Tensor, means: Block, factors: Block) -> Tensor:
    precisions = factors**2
    constants = float64(np.sum(means**2 * precisions, axis=1))
    return rows @ (-2.0 * means * precisions).T + constants + square(rows) @ precisions.T


def _spherical(rows: Tensor, means: Block, factors: Block) -> Tensor:
    precisions = factors**2
    constants = float64(np.sum(means**2, axis=1) * precisions)
    return rows @ (-2.0 * means).T * precisions + constants + squared_norms(rows) * precisions


_DISTANCES = {"full": _full, "tied": _tied, "diag": _diagonal, "spherical": _spherical}


def _log_determinants(kind: str, factors: Block, features: int) -> Block:
    """Of the factors of the precision matrices: one number for all components where they are tied."""
    if kind == "spherical":
        return float64(features * np.log(factors))
    logs = np.log(factors if kind == "diag" else np.diagonal(factors, axis1=-2, axis2=-1))
    return float64(logs.sum(axis=-1))
