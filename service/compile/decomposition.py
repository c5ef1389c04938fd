"""Graphs of projections onto components: one matrix product, and what stands before and after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.arrays import float64
from service.compile.graph import Tensor, UnsupportedError, numbers, transformer
from service.compile.kernels import pairwise
from service.compile.scalar import expit

EPS = float(np.finfo(np.float64).eps)


@transformer("sklearn.IncrementalPCA", "sklearn.PCA")
def principal_components(estimator: Any, rows: Tensor) -> Tensor:
    """The mean is taken away after the projection, and a tiny variance is bounded before whitening."""
    components = float64(estimator.components_).T
    scores = numbers(rows) @ components - float64(estimator.mean_)[None, :] @ components
    if not estimator.whiten:
        return scores
    return scores / np.maximum(np.sqrt(float64(estimator.explained_variance_)), EPS)


@transformer(
    "sklearn.GaussianRandomProjection",
    "sklearn.NeighborhoodComponentsAnalysis",
    "sklearn.SparseRandomProjection",
    "sklearn.TruncatedSVD",
)
def projection(estimator: Any, rows: Tensor) -> Tensor:
    return numbers(rows) @ float64(estimator.components_).T


@transformer("sklearn.FastICA")
def independent_components(estimator: Any, rows: Tensor) -> Tensor:
    centred = numbers(rows) - float64(estimator.mean_) if estimator.whiten else numbers(rows)
    return centred @ float64(estimator.components_).T


@transformer("sklearn.FactorAnalysis")
def factors(estimator: Any, rows: Tensor) -> Tensor:
    components = float64(estimator.components_)
    weighted = components / float64(estimator.noise_variance_)
    covariance = np.linalg.inv(np.eye(len(components)) + weighted @ components.T)
    return (numbers(rows) - float64(estimator.mean_)) @ weighted.T @ covariance


@transformer("sklearn.MiniBatchSparsePCA", "sklearn.SparsePCA")
def sparse_components(estimator: Any, rows: Tensor) -> Tensor:
    """Ridge regression on the components, whose solution is linear in the row."""
    components = float64(estimator.components_)
    gram = components @ components.T + estimator.ridge_alpha * np.eye(len(components))
    return (numbers(rows) - float64(estimator.mean_)) @ np.linalg.solve(gram, components).T


@transformer("sklearn.KernelPCA")
def kernel_components(estimator: Any, rows: Tensor) -> Tensor:
    values, vectors = float64(estimator.eigenvalues_), float64(estimator.eigenvectors_)
    scales = np.where(values != 0, np.sqrt(np.abs(values)), np.inf)  # a component of no variance is zero
    gamma, degree, coef0 = estimator.gamma_, estimator.degree, estimator.coef0
    kernel = pairwise(estimator.kernel, numbers(rows), float64(estimator.X_fit_), gamma, degree, coef0)
    return graph.transform(estimator._centerer, kernel) @ (vectors / scales)


@transformer("sklearn.PLSSVD")
def partial_least_squares_scores(estimator: Any, rows: Tensor) -> Tensor:
    scaled = (numbers(rows) - float64(estimator._x_mean)) / float64(estimator._x_std)
    return scaled @ float64(estimator.x_weights_)


@transformer("sklearn.FeatureAgglomeration")
def agglomerated_features(estimator: Any, rows: Tensor) -> Tensor:
    """The mean of the features of each cluster."""
    if estimator.pooling_func is not np.mean:
        raise UnsupportedError("features are pooled otherwise than by their mean")
    members = float64(np.eye(estimator.n_clusters_)[estimator.labels_])
    return numbers(rows) @ members / float64(members.sum(axis=0))


@transformer("sklearn.BernoulliRBM")
def hidden_units(estimator: Any, rows: Tensor) -> Tensor:
    return expit(numbers(rows) @ float64(estimator.components_).T + float64(estimator.intercept_hidden_))
