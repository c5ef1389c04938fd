from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, ensemble
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, run_graph
from tests.service.compile.frames import run_transform  # noqa: F401 - importing it registers the converters

X, Y = datasets.load_iris(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
NAMES = np.array(["setosa", "versicolor", "vîrginica"])[Y]
TWO, HALF = X[50:], np.where(Y[50:] == 1, "no", "yes")
DX, DY = datasets.load_diabetes(return_X_y=True)
ASKED = np.concatenate([X, X[::3] + 0.37, X[::5] * 100])
LOG, TREE = LogisticRegression(), DecisionTreeClassifier(max_depth=2, random_state=0)


@pytest.mark.parametrize("weights", [None, [1, 1, 3], [0.3, 0.3, 0.4]])
@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_the_most_votes_or_the_highest_mean_win(voting: Any, weights: Any) -> None:
    members = [("log", LOG), ("tree", TREE), ("bayes", GaussianNB())]
    assert_exact(
        ensemble.VotingClassifier(members, voting=voting, weights=weights).fit(X, NAMES), ASKED, tolerance=1e-12
    )


def test_tied_votes_go_to_the_first_class() -> None:
    members = [("a", TREE), ("b", DecisionTreeClassifier(max_depth=1)), ("gone", "drop")]
    fitted = ensemble.VotingClassifier(members, weights=[1, 1, 5]).fit(X, NAMES)
    assert_exact(fitted, ASKED)


@pytest.mark.parametrize("weights", [None, [0.2, 0.7]])
def test_regressors_vote_by_their_mean(weights: Any) -> None:
    members = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3))]
    assert_exact(ensemble.VotingRegressor(members, weights=weights).fit(DX, DY), DX, tolerance=1e-12)


@pytest.mark.parametrize("estimator", [DecisionTreeClassifier(), LogisticRegression(), RidgeClassifier()])
@pytest.mark.parametrize("settings", [{}, {"max_features": 0.5}, {"bootstrap_features": True, "max_samples": 20}])
@pytest.mark.parametrize("rows", [(X, NAMES), (TWO, HALF)])
def test_a_bag_averages_probabilities_or_votes(estimator: Any, settings: Any, rows: Any) -> None:
    fitted = ensemble.BaggingClassifier(estimator, n_estimators=5, random_state=0, **settings).fit(*rows)
    assert_exact(fitted, ASKED, tolerance=1e-12)


def test_a_bags_estimator_may_not_have_seen_every_class() -> None:
    base = make_pipeline(StandardScaler(), DecisionTreeClassifier())  # takes no weights, so that rows are drawn
    fitted = ensemble.BaggingClassifier(base, max_samples=4, n_estimators=9, random_state=1).fit(X, NAMES)
    assert min(len(tree.classes_) for tree in fitted.estimators_) < 3
    assert_exact(fitted, ASKED)


def test_decision_values_of_different_classes_are_refused() -> None:
    base = make_pipeline(StandardScaler(), LogisticRegression())
    fitted = ensemble.BaggingClassifier(base, max_samples=4, n_estimators=9, random_state=1).fit(X, NAMES)
    with pytest.raises(UnsupportedError, match="not seen every class"):
        run_graph(fitted, X)


@pytest.mark.parametrize("settings", [{}, {"max_features": 0.6}, {"estimator": LinearRegression()}])
def test_a_bag_of_regressors_averages(settings: Any) -> None:
    assert_exact(ensemble.BaggingRegressor(n_estimators=5, random_state=0, **settings).fit(DX, DY), DX, tolerance=1e-12)


def test_a_bag_of_several_outputs_averages() -> None:
    assert_exact(ensemble.BaggingRegressor(n_estimators=5, random_state=0).fit(DX, DX[:, :2]), DX, tolerance=1e-12)


@pytest.mark.parametrize("estimator", [None, DecisionTreeClassifier(max_depth=2), LogisticRegression()])
@pytest.mark.parametrize("rows", [(X, NAMES), (TWO, HALF)])
def test_boosted_classifiers_vote_with_their_weights(estimator: Any, rows: Any) -> None:
    fitted = ensemble.AdaBoostClassifier(estimator, n_estimators=8, random_state=0).fit(*rows)
    assert_exact(fitted, ASKED, tolerance=1e-12)


def test_a_boosted_classifier_of_one_class_is_refused() -> None:
    fitted = ensemble.AdaBoostClassifier(n_estimators=2).fit(X, np.zeros(150))
    with pytest.raises(UnsupportedError, match="one class"):
        run_graph(fitted, X)


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
@pytest.mark.parametrize("depth", [1, 3, None])
def test_boosted_regressors_answer_with_the_weighted_median(loss: Any, depth: Any) -> None:
    tree = DecisionTreeRegressor(max_depth=depth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = ensemble.AdaBoostRegressor(tree, n_estimators=12, loss=loss, random_state=0).fit(DX, DY.round(-1))
    assert_exact(fitted, np.concatenate([DX, DX * 1.3]), tolerance=1e-15)
