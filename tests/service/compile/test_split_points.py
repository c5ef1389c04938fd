from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from service.compile.split_points import split_points

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 4))
Y = (X[:, 1] > 0) * 2 + (X[:, 3] > 0.5)


def changes(estimator: Any, column: int, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether any answer of the estimator to some rows changes where the column passes each point."""
    base = X[:40]
    numbers = getattr(estimator, "predict_proba", estimator.predict)
    changed = []
    for point in points:
        below, above = base.copy(), base.copy()
        below[:, column], above[:, column] = point - 1e-6, point + 1e-6
        changed.append(bool((numbers(below) != numbers(above)).any()))
    return np.array(changed)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(max_depth=3),
        RandomForestClassifier(3, max_depth=3, random_state=0),
        ExtraTreesRegressor(3, max_depth=3, random_state=0),
        GradientBoostingClassifier(n_estimators=3, max_depth=2),
        HistGradientBoostingClassifier(max_iter=3),
        xgboost.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1),
        lightgbm.LGBMClassifier(n_estimators=3, num_leaves=4, verbose=-1, n_jobs=1),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_answers_change_at_the_points_and_nowhere_between_them(estimator: Any) -> None:
    found = split_points(estimator.fit(X, Y))
    assert found
    for column, points in found.items():
        assert points.dtype == np.float64
        assert (np.diff(points) > 0).all()
        assert changes(estimator, column, points).any()
        between = ((points[:-1] + points[1:]) / 2)[np.diff(points) > 1e-5]
        assert not changes(estimator, column, between).any()


def test_the_points_of_an_isolation_forest_are_those_of_the_input_columns() -> None:
    estimator = IsolationForest(n_estimators=20, max_features=1, random_state=0).fit(X * [1, 10, 100, 1000])
    found = split_points(estimator)
    assert found is not None
    spread = [np.ptp(found[column]) for column in range(4)]
    np.testing.assert_allclose(np.log10(spread), [0.7, 1.7, 2.7, 3.7], atol=0.3)


def test_columns_of_categories_have_no_points_and_do_not_shift_the_others() -> None:
    sample = np.column_stack([X[:, 0], RANDOM.integers(0, 4, 200), X[:, 1] * 100])
    estimator = HistGradientBoostingRegressor(max_iter=5, categorical_features=[1]).fit(
        sample, sample[:, 1] + X[:, 0] + X[:, 1]
    )
    found = split_points(estimator)
    assert found is not None
    assert set(found) == {0, 2}
    assert np.abs(found[2]).max() > 10 > np.abs(found[0]).max()


def test_splits_of_missing_values_from_all_others_have_no_point() -> None:
    sample = np.where(RANDOM.random((200, 1)) < 0.5, np.nan, X[:, :1])
    target = np.isnan(sample[:, 0]) * 1.0
    for estimator in (
        DecisionTreeRegressor(max_depth=1),
        HistGradientBoostingRegressor(max_iter=1, max_leaf_nodes=2),
        lightgbm.LGBMRegressor(n_estimators=1, num_leaves=2, verbose=-1, n_jobs=1),
    ):
        assert split_points(estimator.fit(sample, target)) == {}


def test_what_holds_no_trees_has_no_points() -> None:
    assert split_points(LinearRegression().fit(X, Y)) is None
    assert split_points(xgboost.XGBRegressor(booster="gblinear", n_jobs=1).fit(X, Y)) is None
    assert split_points(DecisionTreeRegressor().fit(X, np.ones(200))) == {}
