from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn import svm

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, run_graph
from tests.service.compile.samples import Block, classified, fit, measured, rows

KERNELS = ["linear", "poly", "rbf", "sigmoid"]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", [svm.SVC, lambda **options: svm.NuSVC(nu=0.2, **options)], ids=["SVC", "NuSVC"])
def test_a_classifier_answers_as_its_estimator(kernel: str, classes: int, kind: Any) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(lambda: kind(kernel=kernel, coef0=0.5), X, y), X)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("options", [{"decision_function_shape": "ovo"}, {"break_ties": True}], ids=str)
def test_decisions_between_pairs_and_broken_ties_are_the_estimators(kernel: str, options: dict[str, Any]) -> None:
    X, y = classified(4)
    assert_exact_at_every_scale(fit(lambda: svm.SVC(kernel=kernel, **options), X, y), X)


@pytest.mark.parametrize("degree", [0, 1, 2, 5])
def test_a_polynomial_may_be_of_any_degree(degree: int) -> None:
    X, y = classified(3)
    assert_exact(fit(lambda: svm.SVC(kernel="poly", degree=degree, coef0=1.0), X, y), X)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", [svm.SVR, svm.NuSVR, svm.OneClassSVM], ids=lambda kind: kind.__name__)
def test_a_regressor_or_outlier_detector_answers_as_its_estimator(kernel: str, kind: Any) -> None:
    X, y = measured()
    assert_exact_at_every_scale(fit(lambda: kind(kernel=kernel, coef0=0.5), X, y), X)


def test_an_outlier_detector_tells_both_labels() -> None:
    assert set(run_graph(fit(svm.OneClassSVM, rows()), rows())["predictions"]) == {-1, 1}


@pytest.mark.parametrize("gamma", [1e-4, 1.0, 1e4])
def test_a_kernel_of_any_width_keeps_its_digits_far_from_zero(gamma: float) -> None:
    X, y = classified(2)
    X = X + 1e5
    asked = np.concatenate([X, X[:1] + np.array([1e-6, 0, 0, 0, 0])])
    assert_exact(fit(lambda: svm.SVC(gamma=gamma), X, y), asked)


def tied(classes: int) -> Block:
    """Rows far from all support vectors: each decision is its intercept."""
    return np.full((1, classified(classes)[0].shape[1]), 1e6)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_where_votes_tie_the_first_class_wins(classes: int) -> None:
    X, y = classified(classes)
    estimator = fit(svm.SVC, X, y)
    estimator._intercept_[:] = 0.0
    estimator.intercept_ = estimator._intercept_
    assert_exact(estimator, tied(classes))


@pytest.mark.parametrize("kernel", KERNELS)
def test_rows_that_were_sparse_when_fitted_are_answered_alike(kernel: str) -> None:
    X, y = classified(3)
    assert_exact(fit(lambda: svm.SVC(kernel=kernel), sparse.csr_matrix(X), y), X)


def test_a_kernel_of_the_users_own_is_refused() -> None:
    X, y = classified(2)
    estimator = fit(lambda: svm.SVC(kernel=lambda a, b: a @ b.T), X, y)
    with pytest.raises(UnsupportedError, match="kernel"):
        run_graph(estimator, X)
