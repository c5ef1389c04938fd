"""Graphs of clusterings that assign a row to its nearest center."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.arrays import Block, float64
from service.compile.distances import euclidean, expanded_squares, nearest, refuse_close
from service.compile.dummy import repeated
from service.compile.graph import Prediction, Tensor, numbers, predictor, transformer


@predictor("sklearn.KMeans", "sklearn.MiniBatchKMeans")
def k_means(estimator: Any, rows: Tensor) -> Prediction:
    centers = float64(estimator.cluster_centers_)
    refuse_close(centers)
    return Prediction(nearest(_lloyd_distances(numbers(rows), centers)))


@predictor("sklearn.BisectingKMeans")
def bisecting_k_means(estimator: Any, rows: Tensor) -> Prediction:
    refuse_close(float64(estimator.cluster_centers_))
    plain = numbers(rows)
    return Prediction(_bisect(plain, estimator._bisecting_tree, getattr(estimator, "_X_mean", 0.0)))


@predictor("sklearn.AffinityPropagation", "sklearn.MeanShift")
def nearest_center(estimator: Any, rows: Tensor) -> Prediction:
    """Affinity propagation that did not converge has no centers, and answers -1."""
    if not len(estimator.cluster_centers_):
        return Prediction(repeated(rows, np.array([-1], np.int64)).reshape(-1))
    centers = float64(estimator.cluster_centers_)
    refuse_close(centers)
    return Prediction(nearest(expanded_squares(numbers(rows), centers)))


@predictor("sklearn.Birch")
def birch(estimator: Any, rows: Tensor) -> Prediction:
    centers = float64(estimator.subcluster_centers_)
    refuse_close(centers)
    closest = nearest(expanded_squares(numbers(rows), centers))
    labels = rows.graph.constant(np.asarray(estimator.subcluster_labels_, np.int64))
    return Prediction(rows.graph.op("Gather", labels, closest))


@transformer("sklearn.BisectingKMeans", "sklearn.KMeans", "sklearn.MiniBatchKMeans")
def center_distances(estimator: Any, rows: Tensor) -> Tensor:
    return euclidean(numbers(rows), float64(estimator.cluster_centers_))


@transformer("sklearn.Birch")
def subcluster_distances(estimator: Any, rows: Tensor) -> Tensor:
    return euclidean(numbers(rows), float64(estimator.subcluster_centers_))


def _lloyd_distances(rows: Tensor, centers: Block) -> Tensor:
    """Squared distances without the row's own norm, which is the same for every center."""
    return rows @ (-2 * centers.T) + float64(np.einsum("ij,ij->i", centers, centers))


def _bisect(rows: Tensor, node: Any, mean: Any) -> Tensor:
    """The labels below a node of the hierarchy, by the nearer of its children's centers; these are kept centered."""
    if node.left is None:
        return rows.graph.constant(np.array(node.label, np.int64))
    centers = float64(np.vstack((node.left.center, node.right.center)) + mean)
    left = nearest(_lloyd_distances(rows, centers)).equals(np.array(0, np.int64))
    return rows.graph.where(left, _bisect(rows, node.left, mean), _bisect(rows, node.right, mean))
