from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import linear_model, svm

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, load_graph, run_graph
from tests.service.compile.samples import classified, fit, labelled, measured, rows

REGRESSORS: list[Any] = [
    linear_model.ARDRegression,
    linear_model.BayesianRidge,
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.GammaRegressor,
    linear_model.HuberRegressor,
    linear_model.Lars,
    linear_model.LarsCV,
    linear_model.Lasso,
    linear_model.LassoCV,
    linear_model.LassoLars,
    linear_model.LassoLarsCV,
    linear_model.LassoLarsIC,
    linear_model.LinearRegression,
    svm.LinearSVR,
    linear_model.OrthogonalMatchingPursuit,
    linear_model.OrthogonalMatchingPursuitCV,
    linear_model.PassiveAggressiveRegressor,
    linear_model.PoissonRegressor,
    linear_model.QuantileRegressor,
    linear_model.RANSACRegressor,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.SGDRegressor,
    linear_model.TheilSenRegressor,
    linear_model.TweedieRegressor,
]
OF_SEVERAL_OUTPUTS: list[Any] = [
    linear_model.Lars,
    linear_model.Lasso,
    linear_model.LinearRegression,
    linear_model.MultiTaskElasticNet,
    linear_model.MultiTaskElasticNetCV,
    linear_model.MultiTaskLasso,
    linear_model.MultiTaskLassoCV,
    linear_model.OrthogonalMatchingPursuit,
    linear_model.RANSACRegressor,
    linear_model.Ridge,
    linear_model.RidgeCV,
]
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "LinearSVC": svm.LinearSVC,
    "LinearSVC of Crammer and Singer": lambda: svm.LinearSVC(multi_class="crammer_singer"),
    "LogisticRegression": linear_model.LogisticRegression,
    "LogisticRegression l1": lambda: linear_model.LogisticRegression(l1_ratio=1, solver="saga", C=0.3),
    "LogisticRegressionCV": linear_model.LogisticRegressionCV,
    "PassiveAggressiveClassifier": linear_model.PassiveAggressiveClassifier,
    "Perceptron": linear_model.Perceptron,
    "RidgeClassifier": linear_model.RidgeClassifier,
    "RidgeClassifierCV": linear_model.RidgeClassifierCV,
}
LOSSES = ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "squared_error", "huber"]
LOSSES += ["epsilon_insensitive", "squared_epsilon_insensitive"]


@pytest.mark.parametrize("kind", REGRESSORS, ids=lambda kind: kind.__name__)
def test_a_regressor_answers_as_its_estimator(kind: Any) -> None:
    X, y = measured()
    assert_exact_at_every_scale(fit(kind, X, y), X)


@pytest.mark.parametrize("kind", OF_SEVERAL_OUTPUTS, ids=lambda kind: kind.__name__)
def test_a_regressor_of_several_outputs_answers_as_its_estimator(kind: Any) -> None:
    X, y = measured(outputs=3)
    assert_exact_at_every_scale(fit(kind, X, y), X)


@pytest.mark.parametrize("power", [0, 1.5, 3])
def test_a_tweedie_regressor_takes_its_link_from_its_power(power: float) -> None:
    X, y = measured()
    assert_exact_at_every_scale(fit(lambda: linear_model.TweedieRegressor(power=power), X, y), X)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("classes", [2, 4])
def test_a_classifier_answers_as_its_estimator(kind: str, classes: int) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(CLASSIFIERS[kind], X, y), X)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("classes", [2, 3])
def test_stochastic_gradient_descent_answers_as_its_estimator_for_every_loss(loss: str, classes: int) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(lambda: linear_model.SGDClassifier(loss=loss, random_state=0), X, y), X)


@pytest.mark.parametrize("kind", [linear_model.RidgeClassifier, linear_model.RidgeClassifierCV])
def test_several_labels_of_a_row_are_told_one_by_one(kind: Any) -> None:
    X, y = labelled()
    assert_exact_at_every_scale(fit(kind, X, y), X)


def test_an_outlier_detector_answers_as_its_estimator() -> None:
    detector = fit(lambda: linear_model.SGDOneClassSVM(nu=0.3, random_state=0), rows())
    assert set(run_graph(detector, rows())["predictions"]) == {-1, 1}
    assert_exact_at_every_scale(detector, rows())


@pytest.mark.parametrize("kind", [linear_model.LogisticRegression, linear_model.SGDClassifier])
def test_coefficients_may_be_sparse(kind: Any) -> None:
    X, y = classified(3)
    assert_exact(fit(kind, X, y).sparsify(), X)


def test_timestamps_keep_their_digits() -> None:
    X, y = measured()
    X[:, 0] = 1.7e9 + np.arange(len(X))
    assert_exact(fit(linear_model.LinearRegression, X, y), X)


def test_strings_are_refused() -> None:
    X, y = measured()
    with pytest.raises(UnsupportedError, match="string column"):
        load_graph(fit(linear_model.Ridge, X, y), X.shape[1], [("a", "b"), *[None] * (X.shape[1] - 1)])


def test_a_link_without_a_graph_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = measured()
    estimator = fit(linear_model.TweedieRegressor, X, y)
    monkeypatch.setattr(estimator._base_loss, "link", object())
    with pytest.raises(UnsupportedError, match="link"):
        run_graph(estimator, X)
