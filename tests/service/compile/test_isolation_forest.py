from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from tests.service.compile.exactness import assert_exact, assert_independent, run_graph
from tests.service.compile.split_rows import rows_on_splits

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 5)).round(1)


def hold(estimator: Any, sample: Any) -> None:
    for rows in (sample, rows_on_splits(estimator, sample), sample[:4] * 1e30):
        assert_exact(estimator, rows, tolerance=1e-14)
    assert_independent(estimator, sample)
    assert all(len(part) == 0 for part in run_graph(estimator, sample[:0]).values())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"contamination": 0.1},
        {"contamination": 0.25, "max_samples": 50},
        {"contamination": 0.2, "max_features": 0.5},
        {"max_features": 3, "bootstrap": True},
    ],
    ids=repr,
)
def test_labels_are_equal_and_scores_are_to_the_last_digits(settings: dict[str, Any]) -> None:
    hold(IsolationForest(n_estimators=30, random_state=0, **settings).fit(X), X)


def test_missing_values_take_the_side_that_the_tree_chose() -> None:
    missing = np.where(RANDOM.random(X.shape) < 0.1, np.nan, X)
    hold(IsolationForest(n_estimators=30, random_state=0, contamination=0.2).fit(missing), missing)


def test_a_row_whose_score_is_the_offset_is_an_inlier() -> None:
    estimator = IsolationForest(n_estimators=1, random_state=0, contamination=0.01).fit(X)
    at_offset = estimator.decision_function(X) == 0
    assert at_offset.any()
    assert_exact(estimator, X[at_offset], tolerance=1e-14)
    np.testing.assert_array_equal(run_graph(estimator, X[at_offset])["predictions"], 1)


@pytest.mark.parametrize("max_samples", [1, 2])
def test_trees_of_one_row_or_two_are_answered(max_samples: int) -> None:
    estimator = IsolationForest(n_estimators=20, random_state=0, max_samples=max_samples).fit(X)
    assert_exact(estimator, X, tolerance=1e-14)
