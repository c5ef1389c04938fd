from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, run_graph
from tests.service.compile.samples import classified, fit, measured

KERNELS = {
    "default": None,
    "smooth": ConstantKernel(2.0) * RBF(2.0),
    "rough with noise": Matern(2.0, nu=1.5) + WhiteKernel(0.5),
    "linear": DotProduct(1.5) + ConstantKernel(0.5),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("normalized", [True, False])
def test_a_regressor_answers_as_its_estimator(kernel: str, outputs: int, normalized: bool) -> None:
    X, y = measured(outputs)
    options = {"kernel": KERNELS[kernel], "alpha": 0.1, "normalize_y": normalized, "optimizer": None}
    assert_exact_at_every_scale(fit(lambda: GaussianProcessRegressor(**options), X, y), X)


def test_a_kernel_that_is_the_same_everywhere_is_answered() -> None:
    X, y = measured()
    kernel = ConstantKernel(0.7) + WhiteKernel(1.0)
    assert_exact(fit(lambda: GaussianProcessRegressor(kernel, optimizer=None), X, y), X)


def test_a_regressor_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="fitted"):
        run_graph(GaussianProcessRegressor(), np.ones((1, 2)))


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_classifier_of_two_classes_answers_as_its_estimator(kernel: str) -> None:
    X, y = classified(2)
    estimator = fit(lambda: GaussianProcessClassifier(KERNELS[kernel], optimizer=None), X, y)
    assert_exact(estimator, X)
    if kernel != "linear":  # whose variance far away is a difference of huge numbers
        assert_exact_at_every_scale(estimator, X)


@pytest.mark.parametrize("classes", [3, 4])
def test_a_classifier_of_several_classes_answers_as_its_estimator(classes: int) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(lambda: GaussianProcessClassifier(1.0 * RBF(2.0), optimizer=None), X, y), X)


def test_a_classifier_by_pairs_of_classes_has_labels_only() -> None:
    X, y = classified(4)
    pairs = {"multi_class": "one_vs_one", "optimizer": None}
    estimator = fit(lambda: GaussianProcessClassifier(1.0 * RBF(2.0), **pairs), X, y)
    for rows in (X, X * 1e6):
        answers = run_graph(estimator, rows)
        np.testing.assert_array_equal(estimator.classes_[answers["predictions"]], estimator.predict(rows))
        assert "probabilities" not in answers
