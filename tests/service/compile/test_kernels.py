from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.kernel_ridge import KernelRidge

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, run_graph
from tests.service.compile.samples import fit, measured

KERNELS = ["cosine", "laplacian", "linear", "poly", "polynomial", "rbf", "sigmoid"]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_kernel_ridge_answers_as_its_estimator(kernel: str, outputs: int) -> None:
    X, y = measured(outputs)
    assert_exact_at_every_scale(fit(lambda: KernelRidge(kernel=kernel), X, y), X)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_parameters_of_a_kernel_are_the_estimators(kernel: str) -> None:
    X, y = measured()
    assert_exact(fit(lambda: KernelRidge(kernel=kernel, gamma=0.3, degree=2, coef0=2), X, y), X)


def test_the_cosine_of_a_row_of_zeros_is_zero() -> None:
    X, y = measured()
    assert_exact(fit(lambda: KernelRidge(kernel="cosine"), X, y), np.zeros((1, X.shape[1])))


def test_rows_that_were_sparse_when_fitted_are_answered_alike() -> None:
    X, y = measured()
    assert_exact(fit(lambda: KernelRidge(kernel="rbf"), sparse.csr_matrix(X), y), X)


@pytest.mark.parametrize("kernel", ["additive_chi2", "chi2"])
def test_kernels_of_frequencies_are_the_estimators(kernel: str) -> None:
    X, y = measured()
    X = np.abs(X)
    X[0] = 0.0
    assert_exact(fit(lambda: KernelRidge(kernel=kernel, gamma=0.3), X, y), X)


def test_a_kernel_of_the_users_own_is_refused() -> None:
    X, y = measured()
    with pytest.raises(UnsupportedError, match="user"):
        run_graph(fit(lambda: KernelRidge(kernel=lambda a, b: a @ b), X, y), X)
