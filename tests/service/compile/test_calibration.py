from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests.service.compile.exactness import assert_exact
from tests.service.compile.frames import run_transform  # noqa: F401 - importing it registers the converters

X, Y = datasets.load_iris(return_X_y=True)
X = (X - X.mean(0)) / X.std(0) + np.random.default_rng(0).normal(0, 0.5, X.shape)
NAMES = np.array(["setosa", "versicolor", "vîrginica"])[Y]
ASKED = np.concatenate([X, X * 3 - 5, X[:20] * 1e3])


@pytest.mark.parametrize("base", [LogisticRegression(), LinearSVC(), GaussianNB(), DecisionTreeClassifier(max_depth=2)])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("rows", [(X, NAMES), (X[50:], NAMES[50:])])
def test_probabilities_are_calibrated(base: Any, method: Any, joined: bool, rows: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = CalibratedClassifierCV(base, method=method, cv=3, ensemble=joined).fit(*rows)
    # A logarithm near its shift of 1e-12 enlarges the last bits of a probability near one.
    assert_exact(fitted, ASKED, tolerance=1e-8 if method == "temperature" else 1e-12)
    assert_exact(fitted, ASKED[:1], tolerance=1e-8 if method == "temperature" else 1e-12)


def test_a_fitted_classifier_may_have_met_only_some_of_the_classes() -> None:
    known = FrozenEstimator(GaussianNB().fit(X[:100], NAMES[:100]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = CalibratedClassifierCV(known, method="isotonic", cv=3, ensemble=True).fit(X, NAMES)
    assert_exact(fitted, ASKED, tolerance=1e-12)


def test_where_every_class_is_unlikely_all_are_equally_likely() -> None:
    fitted = CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=3).fit(X, NAMES)
    for part in fitted.calibrated_classifiers_:
        for calibrator in part.calibrators:
            calibrator.y_thresholds_ = calibrator.y_thresholds_ * 0.0
            calibrator._build_f(calibrator.X_thresholds_, calibrator.y_thresholds_)
    assert_exact(fitted, ASKED)
