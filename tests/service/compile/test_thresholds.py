from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB

from tests.service.compile.exactness import assert_exact
from tests.service.compile.frames import run_transform  # noqa: F401 - importing it registers the converters

X, Y = datasets.load_breast_cancer(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0))[:, :5]
NAMES = np.where(Y == 1, "benign", "malignant")


@pytest.mark.parametrize("base", [LogisticRegression(), RidgeClassifier(), GaussianNB()])
@pytest.mark.parametrize("threshold", ["auto", 0.2, 0.0])
@pytest.mark.parametrize("positive", [None, "benign", "malignant"])
def test_the_score_of_the_positive_class_reaches_the_threshold(base: Any, threshold: Any, positive: Any) -> None:
    assert_exact(FixedThresholdClassifier(base, threshold=threshold, pos_label=positive).fit(X, NAMES), X)


@pytest.mark.parametrize("response", ["predict_proba", "decision_function"])
@pytest.mark.parametrize("positive", ["benign", "malignant"])
def test_a_threshold_may_be_tuned(response: Any, positive: str) -> None:
    scoring = make_scorer(f1_score, pos_label=positive)
    base = LogisticRegression()
    fitted = TunedThresholdClassifierCV(base, scoring=scoring, response_method=response, thresholds=9, cv=2).fit(
        X, NAMES
    )
    assert_exact(fitted, X)


def test_a_fitted_classifier_needs_no_fitting() -> None:
    base = LogisticRegression().fit(X, Y)
    assert_exact(FixedThresholdClassifier(base, threshold=0.9, response_method="predict_proba"), X)
    assert_exact(TunedThresholdClassifierCV(base, cv="prefit", refit=False, thresholds=9).fit(X, Y), X)
