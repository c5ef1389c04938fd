from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from tests.service.compile.exactness import assert_exact, assert_independent, run_graph
from tests.service.compile.split_rows import rows_on_splits

RANDOM = np.random.default_rng(0)
X, Y = make_classification(300, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
X[:, 5] = np.round(X[:, 5], 1)
WORDS = np.array(["é", "ab", "z"])[Y]
MISSING = np.where(RANDOM.random(X.shape) < 0.15, np.nan, X)
SEVERAL = np.column_stack([Y, Y > 0, RANDOM.integers(0, 5, len(Y))])
LARGE = np.concatenate([np.full((1, 6), 1e30), np.full((1, 6), -1e30), X[:5] * 1e6, X[:5] * 1e-40])

CLASSIFIERS: list[Any] = [
    DecisionTreeClassifier(random_state=0),
    DecisionTreeClassifier(max_depth=3, class_weight="balanced"),
    ExtraTreeClassifier(random_state=0, min_samples_leaf=4),
    RandomForestClassifier(15, random_state=0),
    RandomForestClassifier(15, random_state=0, max_depth=3, criterion="entropy"),
    ExtraTreesClassifier(15, random_state=0, min_samples_leaf=4),
]
REGRESSORS: list[Any] = [
    DecisionTreeRegressor(max_depth=4),
    ExtraTreeRegressor(random_state=0),
    RandomForestRegressor(15, random_state=0),
    RandomForestRegressor(15, random_state=0, criterion="absolute_error", max_leaf_nodes=8),
    ExtraTreesRegressor(15, random_state=0, monotonic_cst=[1, 0, 0, -1, 0, 0]),
]


def hold(estimator: Any, sample: Any) -> None:
    """The estimator's answers to the last bit: on the sample, on its splits and beside them, and far away."""
    for rows in (sample, rows_on_splits(estimator, sample), LARGE):
        assert_exact(estimator, rows, tolerance=0)
    assert_independent(estimator, sample[:100])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=repr)
def test_a_classifier_is_answered_to_the_last_bit(estimator: Any, classes: int) -> None:
    hold(estimator.fit(X, WORDS if classes == 3 else Y > 0), X)


@pytest.mark.parametrize("estimator", REGRESSORS, ids=repr)
def test_a_regressor_is_answered_to_the_last_bit(estimator: Any) -> None:
    hold(estimator.fit(X, X[:, 0] * 100 + Y), X)


@pytest.mark.parametrize("estimator", [*CLASSIFIERS[::2], *REGRESSORS[:3]], ids=repr)
def test_several_outputs_are_answered_to_the_last_bit(estimator: Any) -> None:
    hold(estimator.fit(X, SEVERAL), X)


@pytest.mark.parametrize("estimator", [CLASSIFIERS[0], CLASSIFIERS[3], CLASSIFIERS[5], REGRESSORS[2]], ids=repr)
@pytest.mark.parametrize("trained", ["with missing values", "without"])
def test_missing_values_take_the_side_that_the_tree_chose(estimator: Any, trained: str) -> None:
    hold(estimator.fit(MISSING if trained == "with missing values" else X, Y), MISSING)


def test_a_multilabel_forest_answers_zeros_and_ones() -> None:
    labels = RANDOM.integers(0, 2, (len(X), 3))
    estimator = RandomForestClassifier(10, random_state=0).fit(X, labels)
    assert_exact(estimator, X, tolerance=0)
    np.testing.assert_array_equal(run_graph(estimator, X)["predictions"], estimator.predict(X))


@pytest.mark.parametrize("estimator", [CLASSIFIERS[0], CLASSIFIERS[3], REGRESSORS[0], REGRESSORS[2]], ids=repr)
def test_trees_that_never_split_and_a_single_column_are_answered(estimator: Any) -> None:
    assert_exact(estimator.fit(X, np.ones(len(X))), X, tolerance=0)
    assert_exact(estimator.fit(X[:, :1], Y), X[:, :1], tolerance=0)
    assert all(len(part) == 0 for part in run_graph(estimator, X[:0, :1]).values())
