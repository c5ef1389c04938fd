from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_independent, run_graph
from tests.service.compile.split_rows import rows_on_splits

RANDOM = np.random.default_rng(0)
X, Y = make_classification(400, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
MISSING = np.where(RANDOM.random(X.shape) < 0.15, np.nan, X)
LARGE = np.concatenate([np.full((1, 6), 1e30), np.full((1, 6), -1e30), X[:5] * 1e6, X[:5] * 1e-40])
TARGET = X[:, 0] ** 2 + Y + 0.1

FLOAT32 = 2.0**-22  # the last two bits, which exponentials of different libraries may settle otherwise


def hold(estimator: Any, sample: Any, *, tolerance: float = FLOAT32) -> None:
    """Labels equal and numbers within the tolerance: on the sample, on its splits and beside them, and far away."""
    for rows in (sample, rows_on_splits(estimator, sample), LARGE):
        assert_exact(estimator, rows, tolerance=tolerance)
    assert_independent(estimator, sample)
    assert all(len(part) == 0 for part in run_graph(estimator, sample[:0]).values())


@pytest.mark.parametrize(
    "objective",
    [
        "reg:squarederror",
        "reg:absoluteerror",
        "reg:pseudohubererror",
        "reg:squaredlogerror",
    ],
)
def test_a_regressor_is_answered_to_the_last_bit(objective: str) -> None:
    hold(XGBRegressor(n_jobs=1, n_estimators=12, objective=objective).fit(MISSING, TARGET), MISSING, tolerance=0)


@pytest.mark.parametrize("objective", ["count:poisson", "reg:gamma", "reg:tweedie", "reg:logistic"])
def test_a_regressor_with_a_link_is_answered_to_the_last_bits_of_float32(objective: str) -> None:
    target = TARGET / TARGET.max() if objective == "reg:logistic" else TARGET
    hold(XGBRegressor(n_jobs=1, n_estimators=12, objective=objective).fit(MISSING, target), MISSING)


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:hinge", "binary:logitraw"])
def test_two_classes_are_told_apart(objective: str) -> None:
    hold(XGBClassifier(n_jobs=1, n_estimators=12, objective=objective).fit(MISSING, Y > 0), MISSING)


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_several_classes_are_told_apart(objective: str) -> None:
    hold(XGBClassifier(n_jobs=1, n_estimators=12, objective=objective).fit(MISSING, Y), MISSING)


@pytest.mark.parametrize(
    "estimator",
    [XGBRFClassifier(n_jobs=1, n_estimators=12), XGBRFRegressor(n_jobs=1, n_estimators=12)],
    ids=["classifier", "regressor"],
)
def test_a_random_forest_is_answered(estimator: Any) -> None:
    hold(estimator.fit(X, Y), MISSING)


def test_several_outputs_and_several_labels_are_answered() -> None:
    hold(XGBRegressor(n_jobs=1, n_estimators=8).fit(X, np.column_stack([TARGET, Y])), X, tolerance=0)
    labels = np.column_stack([Y > 0, Y > 1]).astype(int)
    hold(XGBClassifier(n_jobs=1, n_estimators=8).fit(X, labels), X)
    quantiles = XGBRegressor(n_jobs=1, n_estimators=8, objective="reg:quantileerror", quantile_alpha=[0.1, 0.5])
    hold(quantiles.fit(X, TARGET), X, tolerance=0)


def test_a_base_score_of_the_users_own_is_where_the_sum_starts() -> None:
    hold(XGBRegressor(n_jobs=1, n_estimators=5, base_score=3.7).fit(X, TARGET), X, tolerance=0)
    hold(XGBClassifier(n_jobs=1, n_estimators=5, base_score=0.2).fit(X, Y > 0), X)


def test_early_stopping_leaves_only_the_iterations_up_to_the_best() -> None:
    estimator = XGBClassifier(n_jobs=1, n_estimators=200, early_stopping_rounds=3)
    estimator.fit(X[:200], Y[:200], eval_set=[(X[200:], Y[200:])], verbose=False)
    assert estimator.best_iteration + 1 < estimator.get_booster().num_boosted_rounds()
    hold(estimator, X)


def test_zeros_of_a_sparse_matrix_are_missing() -> None:
    grid = np.round(X)
    assert (OneHotEncoder().fit_transform(grid) != 0).mean() < 0.5
    for encoder in (OneHotEncoder(), OneHotEncoder(sparse_output=False)):
        estimator = make_pipeline(encoder, XGBClassifier(n_jobs=1, n_estimators=12)).fit(grid, Y)
        assert_exact(estimator, grid, tolerance=FLOAT32)
    columns = make_column_transformer((OneHotEncoder(), [0, 1]), remainder="passthrough", sparse_threshold=1.0)
    estimator = make_pipeline(columns, XGBRegressor(n_jobs=1, n_estimators=12)).fit(grid, TARGET)
    assert_exact(estimator, grid, tolerance=0)


def test_a_number_that_means_missing_is_missing() -> None:
    marked = np.nan_to_num(MISSING, nan=-7)
    marked[::9, 0] = np.nan
    hold(XGBClassifier(n_jobs=1, n_estimators=8, missing=-7).fit(marked, Y), marked)


@pytest.mark.parametrize("settings", [{"tree_method": "exact", "gamma": 20}, {"grow_policy": "lossguide"}], ids=repr)
def test_pruned_and_lopsided_trees_are_answered(settings: dict[str, Any]) -> None:
    hold(XGBRegressor(n_jobs=1, n_estimators=8, max_leaves=6, **settings).fit(X, TARGET), X, tolerance=0)


def test_trees_that_never_split_are_answered() -> None:
    estimator = XGBClassifier(n_jobs=1, n_estimators=3, gamma=1e9).fit(X, Y)
    assert_exact(estimator, X, tolerance=FLOAT32)
    single = XGBRegressor(n_jobs=1, n_estimators=3).fit(X[:, :1], TARGET)
    assert_exact(single, X[:, :1], tolerance=0)


@pytest.mark.parametrize("settings", [{"max_cat_to_onehot": 50}, {"max_cat_threshold": 3}, {}], ids=repr)
def test_categories_are_read_by_name(settings: dict[str, Any]) -> None:
    vocabulary = ("a", "b", "c", "dd", "e")
    words = pd.Categorical(RANDOM.choice(vocabulary, 400), categories=["e", "dd", "c", "b", "a"])
    numbers = RANDOM.integers(0, 40, 400) * 10
    frame = pd.DataFrame({"x": MISSING[:, 0], "w": words, "i": pd.Categorical(numbers), "z": X[:, 1]})
    frame.loc[:20, "w"] = None
    target = (frame.w == "a") * 2 - (frame.w == "dd") * 1.5 + numbers // 10 % 3 + X[:, 1]
    estimator = XGBRegressor(n_jobs=1, n_estimators=10, enable_categorical=True, **settings).fit(frame, target)
    codes = np.array(pd.Index(vocabulary).get_indexer(frame.w), np.float64)
    codes[frame.w.isna()] = np.nan
    matrix = np.column_stack([frame.x, codes, numbers, frame.z])
    assert_exact(estimator, matrix, rows=frame, vocabularies=[None, vocabulary, None, None], tolerance=0)


def test_what_has_no_exact_graph_is_refused() -> None:
    frame = pd.DataFrame({"w": pd.Categorical(np.where(Y > 0, "é", "ab"))})
    coded = XGBRegressor(n_jobs=1, n_estimators=2, enable_categorical=True, feature_types=["c"] + ["q"] * 5)
    refused = [
        (XGBRegressor(n_jobs=1, n_estimators=2, booster="dart").fit(X, Y), "gbtree"),
        (XGBRegressor(n_jobs=1, booster="gblinear").fit(X, Y), "gbtree"),
        (XGBRegressor(n_jobs=1, n_estimators=2, multi_strategy="multi_output_tree").fit(X, SEVERAL), "vectors"),
        (XGBRegressor(n_jobs=1, n_estimators=2, objective=squared_error).fit(X, Y), "own"),
        (coded.fit(np.column_stack([Y, X[:, 1:]]), TARGET), "numbers"),
        (XGBRegressor(n_jobs=1, n_estimators=2, enable_categorical=True).fit(frame, Y), "ASCII"),
        (XGBRegressor(n_jobs=1, n_estimators=2, objective="survival:cox").fit(X, TARGET), "survival:cox"),
        (XGBClassifier(n_jobs=1, n_estimators=2, objective="multi:softprob", num_class=2).fit(X, Y > 0), "two"),
    ]
    for estimator, reason in refused:
        with pytest.raises(UnsupportedError, match=reason):
            run_graph(estimator, X[:, : estimator.n_features_in_])


SEVERAL = np.column_stack([TARGET, TARGET])


def squared_error(target: Any, prediction: Any) -> tuple[Any, Any]:
    return prediction - target, np.ones_like(target)
