from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets, ensemble
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, run_graph
from tests.service.compile.frames import run_transform  # noqa: F401 - importing it registers the converters

X, Y = datasets.load_iris(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
NAMES = np.array(["setosa", "versicolor", "vîrginica"])[Y]
DX, DY = datasets.load_diabetes(return_X_y=True)
MEMBERS = [
    ("log", LogisticRegression()),
    ("gone", "drop"),
    ("ridge", RidgeClassifier()),
    ("bayes", GaussianNB()),
]


@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("method", ["auto", "predict"])
@pytest.mark.parametrize("rows", [(X, NAMES), (X[50:], NAMES[50:])])
def test_the_last_classifier_sees_what_the_others_answer(passthrough: bool, method: Any, rows: Any) -> None:
    final = LogisticRegression()
    fitted = StackingClassifier(MEMBERS, final, cv=2, passthrough=passthrough, stack_method=method).fit(*rows)
    assert_exact(fitted, X, tolerance=1e-12)


def test_a_forest_may_stand_last() -> None:
    final = ensemble.RandomForestClassifier(5, random_state=0)
    assert_exact(StackingClassifier(MEMBERS, final, cv=2).fit(X, NAMES), X)


def test_classifiers_fitted_before_keep_their_own_labels() -> None:
    tree = DecisionTreeClassifier(max_depth=2).fit(X, Y + 5)
    fitted = StackingClassifier([("tree", tree)], cv="prefit", stack_method="predict").fit(X, NAMES)
    assert_exact(fitted, X, tolerance=1e-12)


def test_labels_that_are_no_numbers_are_refused_as_features() -> None:
    members = [("tree", DecisionTreeClassifier().fit(X, Y))]
    fitted = StackingClassifier(members, cv="prefit", stack_method="predict").fit(X, Y)
    fitted.estimators_ = [DecisionTreeClassifier().fit(X, NAMES)]
    with pytest.raises(UnsupportedError, match="not numbers"):
        run_graph(fitted, X)


@pytest.mark.parametrize("passthrough", [False, True])
def test_the_last_regressor_sees_what_the_others_answer(passthrough: bool) -> None:
    members = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3))]
    assert_exact(StackingRegressor(members, cv=2, passthrough=passthrough).fit(DX, DY), DX, tolerance=1e-12)


def test_several_labels_are_refused() -> None:
    rows, labels = datasets.make_multilabel_classification(60, 4, n_classes=2, random_state=0)
    final = KNeighborsClassifier(3)
    fitted = StackingClassifier([("knn", KNeighborsClassifier())], final, cv=2).fit(rows, labels)
    with pytest.raises(UnsupportedError, match="several labels"):
        run_graph(fitted, rows)
