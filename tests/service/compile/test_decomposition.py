from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import cluster, cross_decomposition, datasets, decomposition, neighbors, neural_network, random_projection

from service.compile.graph import UnsupportedError
from tests.service.compile.frames import assert_transforms, run_transform

X, Y = datasets.load_wine(return_X_y=True)
ASKED = np.concatenate([X, X * 1e3, X[:5] * 1e-3, np.zeros((1, 13))])


@pytest.mark.parametrize(
    "estimator",
    [
        decomposition.PCA(3),
        decomposition.PCA(whiten=True),
        decomposition.IncrementalPCA(3),
        decomposition.TruncatedSVD(3, random_state=0),
        decomposition.FastICA(3, random_state=0, whiten="unit-variance"),
        decomposition.FactorAnalysis(3),
        decomposition.SparsePCA(3, random_state=0, max_iter=20),
        decomposition.MiniBatchSparsePCA(3, random_state=0, max_iter=5),
        random_projection.GaussianRandomProjection(4, random_state=0),
        random_projection.SparseRandomProjection(4, random_state=0, density=0.5),
        neighbors.NeighborhoodComponentsAnalysis(2, random_state=0, max_iter=3),
        cluster.FeatureAgglomeration(4),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_rows_are_projected_as_scikit_learn_projects_them(estimator: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, Y)
    assert_transforms(estimator, ASKED, tolerance=1e-12)


def test_whitening_of_no_variance_stays_finite() -> None:
    rows = np.column_stack([X[:, 0], X[:, 0], X[:, 1]])
    assert_transforms(decomposition.PCA(whiten=True).fit(rows), rows[:1], tolerance=1e-9)


def test_unwhitened_components_are_not_centred() -> None:
    estimator = decomposition.FastICA(random_state=0, whiten=False, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit((X - X.mean(0)) / X.std(0))
    assert_transforms(estimator, ASKED, tolerance=1e-12)


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid", "cosine"])
def test_kernels_are_projected(kernel: Any) -> None:
    rows = X / X.max(0)
    estimator = decomposition.KernelPCA(3, kernel=kernel).fit(rows)
    assert_transforms(estimator, np.concatenate([rows, rows * 2, rows[:1] * 0]), tolerance=1e-11)


def test_a_kernel_of_the_users_own_is_refused() -> None:
    estimator = decomposition.KernelPCA(3, kernel=lambda a, b: float(a @ b)).fit(X[:20])
    with pytest.raises(UnsupportedError, match="kernel of the user's"):
        run_transform(estimator, X)


def test_scores_of_two_blocks_are_those_of_the_first() -> None:
    assert_transforms(cross_decomposition.PLSSVD(2).fit(X, X[:, :3]), ASKED, tolerance=1e-12)


def test_features_pooled_by_a_function_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="pooled"):
        run_transform(cluster.FeatureAgglomeration(4, pooling_func=np.max).fit(X), X)


def test_hidden_units_are_probabilities() -> None:
    estimator = neural_network.BernoulliRBM(5, n_iter=3, random_state=0).fit(X / X.max(0))
    assert_transforms(estimator, X / X.max(0), tolerance=1e-13)
