from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.dummy import DummyClassifier, DummyRegressor

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, load_graph, run_graph
from tests.service.compile.samples import classified, fit, measured


@pytest.mark.parametrize("strategy", ["most_frequent", "prior", "constant"])
def test_a_classifier_answers_as_its_estimator(strategy: str) -> None:
    X, y = classified(3)
    assert_exact_at_every_scale(fit(lambda: DummyClassifier(strategy=strategy, constant=y[5]), X, y), X)


@pytest.mark.parametrize("strategy", ["most_frequent", "prior", "constant"])
def test_a_classifier_of_several_outputs_answers_as_its_estimator(strategy: str) -> None:
    X, y = classified(3)
    both = np.stack([y, classified(2)[1]], axis=1)
    assert_exact(fit(lambda: DummyClassifier(strategy=strategy, constant=both[5]), X, both), X)


@pytest.mark.parametrize("strategy", ["stratified", "uniform"])
def test_random_answers_are_refused(strategy: str) -> None:
    X, y = classified(3)
    with pytest.raises(UnsupportedError, match="random"):
        run_graph(fit(lambda: DummyClassifier(strategy=strategy), X, y), X)


def test_sparse_answers_are_refused() -> None:
    X, _ = classified(3)
    estimator = fit(DummyClassifier, X, sparse.csr_matrix(np.eye(len(X), 3)))
    with pytest.raises(UnsupportedError, match="sparse"):
        run_graph(estimator, X)


@pytest.mark.parametrize(
    "options",
    [{"strategy": "mean"}, {"strategy": "median"}, {"strategy": "quantile", "quantile": 0.3}],
    ids=lambda options: options["strategy"],
)
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_regressor_answers_as_its_estimator(options: dict[str, Any], outputs: int) -> None:
    X, y = measured(outputs)
    assert_exact_at_every_scale(fit(lambda: DummyRegressor(**options), X, y), X)


def test_a_regressor_may_answer_a_given_number() -> None:
    X, y = measured()
    assert_exact(fit(lambda: DummyRegressor(strategy="constant", constant=2.5), X, y), X)


def test_rows_may_hold_strings() -> None:
    X, y = classified(2)
    answer = load_graph(fit(DummyClassifier, X, y), 2, [("a", "b"), None])
    assert answer(np.array([[0.0, 1.0], [-1.0, np.nan]]))["predictions"].shape == (2,)
