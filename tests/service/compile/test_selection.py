from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, feature_selection
from sklearn.linear_model import LogisticRegression, Ridge

from tests.service.compile.exactness import assert_exact
from tests.service.compile.frames import assert_transforms, run_transform

X, Y = datasets.load_iris(return_X_y=True)


@pytest.mark.parametrize(
    "selector",
    [
        feature_selection.VarianceThreshold(0.3),
        feature_selection.SelectKBest(k=2),
        feature_selection.SelectPercentile(percentile=50),
        feature_selection.SelectFpr(alpha=1e-30),
        feature_selection.SelectFdr(alpha=1e-30),
        feature_selection.SelectFwe(alpha=1e-30),
        feature_selection.GenericUnivariateSelect(mode="k_best", param=1),
        feature_selection.SelectFromModel(Ridge()),
        feature_selection.SequentialFeatureSelector(Ridge(), n_features_to_select=2),
        feature_selection.RFE(Ridge(), n_features_to_select=3),
        feature_selection.RFECV(Ridge()),
    ],
    ids=lambda selector: type(selector).__name__,
)
def test_the_supported_columns_are_kept(selector: Any) -> None:
    assert_transforms(selector.fit(X, Y), X)


def test_nothing_may_be_left() -> None:
    selector = feature_selection.SelectFpr(alpha=0.0).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_transforms(selector, X)


def test_columns_keep_their_vocabularies() -> None:
    selector = feature_selection.SelectKBest(k=2).fit(X, Y)
    selector.scores_ = np.array([0.0, 2.0, 1.0, 0.0])
    assert run_transform(selector, X, [("a",), ("b",), None, None])[1] == (("b",), None)


@pytest.mark.parametrize("selector", [feature_selection.RFE, feature_selection.RFECV])
def test_an_eliminating_selector_predicts_by_its_estimator(selector: Any) -> None:
    assert_exact(selector(LogisticRegression(max_iter=2000)).fit(X, Y), X)
