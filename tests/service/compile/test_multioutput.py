from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_close, assert_exact, run_graph
from tests.service.compile.frames import run_transform  # noqa: F401 - importing it registers the converters

X, LABELS = datasets.make_multilabel_classification(150, 6, n_classes=3, random_state=0)
X = (X - X.mean(0)) / X.std(0)
MIXED = np.column_stack([LABELS[:, 0] + 5, LABELS[:, 1] * 2 + LABELS[:, 2]])
NUMBERS = X[:, :3] @ np.array([[1.0, 2, 3], [0, 1, 1], [5, -1, 0]]) + LABELS
BASES = [LogisticRegression(), RidgeClassifier(), DecisionTreeClassifier(max_depth=3), GaussianNB()]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("labels", [LABELS, MIXED, MIXED.astype(str)])
def test_each_output_has_its_classifier(base: Any, labels: Any) -> None:
    assert_exact(MultiOutputClassifier(base).fit(X, labels), X, tolerance=1e-12)


@pytest.mark.parametrize("base", [Ridge(), DecisionTreeRegressor(max_depth=3)])
@pytest.mark.parametrize("wrapper", [MultiOutputRegressor, RegressorChain])
def test_each_output_has_its_regressor(wrapper: Any, base: Any) -> None:
    assert_exact(wrapper(base).fit(X, NUMBERS), X, tolerance=1e-12)


@pytest.mark.parametrize("settings", [{"order": [2, 0, 1]}, {"cv": 2}, {"order": (1, 2, 0)}])
def test_regressors_in_a_chain_answer_in_the_outputs_order(settings: Any) -> None:
    assert_exact(RegressorChain(Ridge(), **settings).fit(X, NUMBERS), X, tolerance=1e-12)


METHODS = ("predict", "predict_proba", "decision_function")


@pytest.mark.parametrize("order", [None, [2, 0, 1]])
@pytest.mark.parametrize(
    ("base", "method"), [(base, method) for base in BASES for method in METHODS if hasattr(base, method)]
)
def test_a_classifier_in_a_chain_sees_those_before_it(base: Any, order: Any, method: Any) -> None:
    fitted = ClassifierChain(base, order=order, chain_method=method).fit(X, LABELS)
    answers = run_graph(fitted, X)
    np.testing.assert_array_equal(answers["predictions"], fitted.predict(X))
    if hasattr(base, "predict_proba"):
        assert_close(answers["probabilities"], fitted.predict_proba(X), 1e-12)
    if hasattr(base, "decision_function"):
        assert_close(answers["decision_values"], fitted.decision_function(X), 1e-12)


def test_a_chain_of_other_labels_or_of_logarithms_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="not 0 and 1"):
        run_graph(ClassifierChain(GaussianNB()).fit(X, MIXED), X)
    with pytest.raises(UnsupportedError, match="predict_log_proba"):
        run_graph(ClassifierChain(GaussianNB(), chain_method="predict_log_proba").fit(X, LABELS), X)
