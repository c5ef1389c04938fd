from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import Ridge

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_independent, run_graph
from tests.service.compile.split_rows import rows_on_splits

X, Y = make_classification(300, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
LARGE = np.concatenate([np.full((1, 6), 1e30), np.full((1, 6), -1e30), X[:5] * 1e6])


def hold(estimator: Any, *, tolerance: float = 0) -> None:
    """The raw values within the tolerance, probabilities to the last digits; on splits and beside them too."""
    for rows in (X, rows_on_splits(estimator, X), LARGE):
        assert_exact(estimator, rows, tolerance=max(tolerance, 1e-14))
        raw = "decision_values" if hasattr(estimator, "classes_") else "predictions"
        expected = estimator.decision_function(rows) if hasattr(estimator, "classes_") else estimator.predict(rows)
        np.testing.assert_allclose(run_graph(estimator, rows)[raw], expected, rtol=tolerance, atol=tolerance)
    assert_independent(estimator, X)
    assert all(len(part) == 0 for part in run_graph(estimator, X[:0]).values())


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_a_regressor_is_answered_to_the_last_bit(loss: str) -> None:
    hold(GradientBoostingRegressor(loss=loss, n_estimators=15).fit(X, X[:, 0] * 100 + Y))


@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
def test_the_decision_values_of_two_classes_are_answered_to_the_last_bit(loss: str) -> None:
    hold(GradientBoostingClassifier(loss=loss, n_estimators=15, learning_rate=0.3).fit(X, np.where(Y > 0, "é", "z")))


def test_the_decision_values_of_several_classes_are_answered_to_the_last_bit() -> None:
    hold(GradientBoostingClassifier(n_estimators=15, subsample=0.7, random_state=0).fit(X, np.array(list("zab"))[Y]))


@pytest.mark.parametrize("init", ["zero", DummyClassifier(strategy="most_frequent")], ids=repr)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_constant_start_is_answered_to_the_last_bit(init: Any, classes: int) -> None:
    hold(GradientBoostingClassifier(n_estimators=10, init=init).fit(X, np.minimum(Y, classes - 1)))


def test_early_stopping_leaves_only_the_stages_that_were_kept() -> None:
    estimator = GradientBoostingClassifier(n_estimators=200, n_iter_no_change=2, random_state=0).fit(X, Y)
    assert estimator.n_estimators_ < 200
    hold(estimator)


def test_a_tie_of_the_two_classes_is_the_second() -> None:
    estimator = GradientBoostingClassifier(n_estimators=3, init="zero").fit(np.zeros((40, 1)), np.arange(40) % 2)
    assert (estimator.decision_function([[0.0]]) == 0).all()
    assert_exact(estimator, np.zeros((3, 1)))
    np.testing.assert_array_equal(run_graph(estimator, np.zeros((1, 1)))["predictions"], [1])


def test_an_estimator_given_as_init_starts_each_row() -> None:
    hold(GradientBoostingRegressor(n_estimators=10, init=HistGradientBoostingRegressor(max_iter=3)).fit(X, X[:, 0] + Y))


@pytest.mark.parametrize(("loss", "classes"), [("log_loss", 2), ("exponential", 2), ("log_loss", 3)])
def test_a_classifier_given_as_init_starts_each_row_by_the_link(loss: str, classes: int) -> None:
    init = RandomForestClassifier(3, max_depth=3, random_state=0)
    target = np.minimum(Y, classes - 1)
    hold(GradientBoostingClassifier(n_estimators=10, init=init, loss=loss).fit(X, target), tolerance=1e-13)


def test_an_init_that_computes_in_float32_is_refused() -> None:
    estimator = GradientBoostingRegressor(n_estimators=3, init=Ridge()).fit(X, Y)
    with pytest.raises(UnsupportedError, match="float32"):
        run_graph(estimator, X)
    drawn = GradientBoostingClassifier(n_estimators=3, init=DummyClassifier(strategy="stratified")).fit(X, Y)
    with pytest.raises(UnsupportedError, match="random"):
        run_graph(drawn, X)
