from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, multiclass
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_close, assert_exact, run_graph
from tests.service.compile.frames import run_transform  # noqa: F401 - importing it registers the converters

X, Y = datasets.load_digits(n_class=5, return_X_y=True)
X = X[:200, 10:30] / 10 + np.random.default_rng(0).normal(0, 0.1, (200, 20))
NAMES = np.array(list("äbcde"))[Y[:200]]
TWO = np.isin(NAMES, ["b", "c"])
MANY = np.random.default_rng(0).random((200, 3)) < 0.4
BASES = [
    LogisticRegression(),
    LinearSVC(),
    DecisionTreeClassifier(max_depth=2),
    GaussianNB(),
]


@pytest.mark.parametrize("base", [*BASES, LinearRegression()])
@pytest.mark.parametrize("wrapper", [multiclass.OneVsRestClassifier, multiclass.OneVsOneClassifier])
@pytest.mark.parametrize("rows", [(X, NAMES), (X[TWO], NAMES[TWO])])
def test_classifiers_of_two_classes_decide_between_many(wrapper: Any, base: Any, rows: Any) -> None:
    fitted = wrapper(base).fit(*rows)
    assert_exact(fitted, X, tolerance=1e-11)


@pytest.mark.parametrize("base", [*BASES, LinearRegression()])
def test_each_of_many_labels_is_decided_alone(base: Any) -> None:
    fitted = multiclass.OneVsRestClassifier(base).fit(X, MANY.astype(int))
    answers = run_graph(fitted, X)
    np.testing.assert_array_equal(answers["predictions"], fitted.predict(X))
    if hasattr(fitted, "predict_proba"):
        assert_close(answers["probabilities"], fitted.predict_proba(X), 1e-12)
    if hasattr(fitted, "decision_function"):
        assert_close(answers["decision_values"], fitted.decision_function(X), 1e-12)


def test_a_label_that_every_row_has_stays() -> None:
    labels = MANY.astype(int)
    labels[:, 1], labels[:, 2] = 1, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = multiclass.OneVsRestClassifier(LogisticRegression()).fit(X, labels)
    answers = run_graph(fitted, X)
    np.testing.assert_array_equal(answers["predictions"], fitted.predict(X))
    assert_close(answers["probabilities"], fitted.predict_proba(X), 1e-12)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("code_size", [0.5, 1.5, 3])
def test_the_nearest_code_is_the_class(base: Any, code_size: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = multiclass.OutputCodeClassifier(base, code_size=code_size, random_state=0).fit(X, NAMES)
    assert_exact(fitted, X)


def test_a_kernel_computed_beforehand_is_refused() -> None:
    fitted = multiclass.OneVsOneClassifier(SVC(kernel="precomputed")).fit(X @ X.T, NAMES)
    with pytest.raises(UnsupportedError, match="beforehand"):
        run_graph(fitted, X @ X.T)
