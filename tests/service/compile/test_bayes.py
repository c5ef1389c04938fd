from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import naive_bayes

from tests.service.compile.exactness import (
    assert_exact,
    assert_exact_at_every_scale,
    assert_independent,
    load_graph,
    run_graph,
)
from tests.service.compile.samples import Block, classified, fit

OF_COUNTS: dict[str, Callable[[], Any]] = {
    "MultinomialNB": naive_bayes.MultinomialNB,
    "MultinomialNB without a fitted prior": lambda: naive_bayes.MultinomialNB(fit_prior=False),
    "ComplementNB": naive_bayes.ComplementNB,
    "BernoulliNB": lambda: naive_bayes.BernoulliNB(binarize=3.0),
}


def counts(classes: int) -> tuple[Block, Any]:
    X, y = classified(classes)
    return np.floor(np.abs(X) * 3), y


@pytest.mark.parametrize("classes", [2, 4])
def test_gaussian_naive_bayes_answers_as_its_estimator(classes: int) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(naive_bayes.GaussianNB, X, y), X)


@pytest.mark.parametrize("kind", OF_COUNTS)
@pytest.mark.parametrize("classes", [2, 4])
def test_naive_bayes_of_counts_answers_as_its_estimator(kind: str, classes: int) -> None:
    X, y = counts(classes)
    assert_exact_at_every_scale(fit(OF_COUNTS[kind], X, y), X)


@pytest.mark.parametrize("classes", [2, 4])
def test_weights_may_be_normalized(classes: int) -> None:
    X, y = counts(classes)
    assert_exact(fit(lambda: naive_bayes.ComplementNB(norm=True), X, y), X)


def test_rows_may_be_binary_already() -> None:
    X, y = counts(3)
    X = (X > 2).astype(np.float64)
    assert_exact(fit(lambda: naive_bayes.BernoulliNB(binarize=None), X, y), X)


@pytest.mark.parametrize("kind", [naive_bayes.ComplementNB, naive_bayes.MultinomialNB, naive_bayes.GaussianNB])
def test_there_may_be_one_class_only(kind: Any) -> None:
    X, _ = counts(2)
    assert_exact(fit(kind, X, np.full(len(X), "only")), X)


@pytest.mark.parametrize("classes", [2, 4])
def test_categories_are_cut_to_integers_as_the_estimator_cuts_them(classes: int) -> None:
    X, y = counts(classes)
    X = X % 4
    estimator = fit(lambda: naive_bayes.CategoricalNB(min_categories=4), X, y)
    assert_exact(estimator, X)
    assert_exact(estimator, X + 0.9)
    assert_exact(estimator, X[:1])
    assert_independent(estimator, X)


def test_probabilities_of_huge_likelihoods_that_tie_are_exact() -> None:
    X, y = classified(2)
    estimator = fit(naive_bayes.GaussianNB, X, y)
    estimator.var_[:] = estimator.var_[0]
    middle = estimator.theta_.mean(axis=0) + np.array([[0.0, 0.0, 0.0, 0.0, 0.0], [1e-6, 0.0, 0.0, 0.0, 0.0]])
    assert_exact(estimator, middle)


def test_likelihoods_beyond_float64_have_no_probabilities() -> None:
    X, y = classified(3)
    estimator = fit(naive_bayes.GaussianNB, X, y)
    answers = load_graph(estimator, X.shape[1])(np.full((1, X.shape[1]), 1e200))
    assert np.isnan(answers["probabilities"]).all()
    assert answers["predictions"].tolist() == [0]


def test_a_prior_of_zero_gives_no_probability() -> None:
    X, y = classified(3)
    estimator = fit(lambda: naive_bayes.GaussianNB(priors=[0.5, 0.5, 0.0]), X, y)
    with np.errstate(divide="ignore"):
        assert_exact(estimator, X)
        assert not run_graph(estimator, X)["probabilities"][:, 2].any()


def test_an_estimator_fitted_on_float32_answers_to_float64() -> None:
    X, y = classified(3)
    assert_exact(fit(naive_bayes.GaussianNB, X.astype(np.float32), y), X)
