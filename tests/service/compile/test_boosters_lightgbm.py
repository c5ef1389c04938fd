from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.datasets import make_classification

from service.compile.boosters_lightgbm import ZERO
from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_independent, run_graph
from tests.service.compile.split_rows import rows_on_splits

RANDOM = np.random.default_rng(0)
X, Y = make_classification(400, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
X[RANDOM.random(X.shape) < 0.2] = 0
MISSING = np.where(RANDOM.random(X.shape) < 0.15, np.nan, X)
TARGET = X[:, 0] ** 2 + Y + 0.1
NEAR_ZERO = [ZERO, np.nextafter(ZERO, 1), np.nextafter(ZERO, 0), 5e-324]
STRANGE = np.array([[value] * 6 for value in (*NEAR_ZERO, *np.negative(NEAR_ZERO), 1e30, -1e30, np.inf, -np.inf)])

SMALL: dict[str, Any] = {"n_estimators": 12, "min_child_samples": 5, "num_leaves": 8, "verbose": -1, "n_jobs": 1}
LAST_DIGITS = 1e-14


def hold(estimator: Any, sample: Any, *, tolerance: float = LAST_DIGITS) -> None:
    """Labels equal, sums to the last bit, numbers within the tolerance: on splits and beside them, and far away too."""
    for rows in (sample, rows_on_splits(estimator, sample), STRANGE):
        assert_exact(estimator, rows, tolerance=tolerance)
        if hasattr(estimator, "classes_"):
            sums = run_graph(estimator, rows)["decision_values"]
            np.testing.assert_array_equal(sums, estimator.decision_function(rows))
    assert_independent(estimator, sample)
    assert all(len(part) == 0 for part in run_graph(estimator, sample[:0]).values())


@pytest.mark.parametrize("objective", ["regression", "regression_l1", "huber", "fair", "quantile", "mape"])
def test_a_regressor_is_answered_to_the_last_bit(objective: str) -> None:
    hold(LGBMRegressor(objective=objective, **SMALL).fit(X, TARGET), MISSING, tolerance=0)


def test_a_root_of_the_target_is_squared_again() -> None:
    hold(LGBMRegressor(reg_sqrt=True, **SMALL).fit(X, TARGET - 2), MISSING, tolerance=0)


@pytest.mark.parametrize("objective", ["poisson", "gamma", "tweedie", "cross_entropy"])
def test_a_regressor_with_a_link_is_answered_to_the_last_digits(objective: str) -> None:
    target = TARGET / TARGET.max() if objective == "cross_entropy" else TARGET
    hold(LGBMRegressor(objective=objective, **SMALL).fit(X, target), X)


@pytest.mark.parametrize("settings", [{}, {"sigmoid": 0.3}, {"objective": "cross_entropy"}], ids=repr)
def test_two_classes_are_told_apart(settings: dict[str, Any]) -> None:
    hold(LGBMClassifier(**settings, **SMALL).fit(X, np.where(Y > 0, 1, 0)), MISSING)


@pytest.mark.parametrize("objective", ["multiclass", "multiclassova"])
def test_several_classes_are_told_apart(objective: str) -> None:
    hold(LGBMClassifier(objective=objective, **SMALL).fit(X, np.array(["z", "é", "ab"])[Y]), MISSING)


@pytest.mark.parametrize("settings", [{}, {"zero_as_missing": True}, {"use_missing": False}], ids=repr)
def test_missing_values_and_zeros_go_where_training_sent_them(settings: dict[str, Any]) -> None:
    hold(LGBMClassifier(**settings, **SMALL).fit(MISSING, Y), MISSING)
    hold(LGBMRegressor(**settings, **SMALL).fit(MISSING, TARGET), MISSING, tolerance=0)


@pytest.mark.parametrize("kind", ["rf", "dart"])
def test_forests_and_dropped_trees_are_answered(kind: str) -> None:
    settings = {"boosting_type": kind, "bagging_freq": 1, "bagging_fraction": 0.6, **SMALL}
    hold(LGBMClassifier(**settings).fit(X, Y), X)
    hold(LGBMClassifier(**settings).fit(X, Y > 0), X)
    hold(LGBMRegressor(**settings).fit(X, TARGET), X, tolerance=0)


def test_early_stopping_leaves_only_the_iterations_up_to_the_best() -> None:
    estimator = LGBMClassifier(**{**SMALL, "n_estimators": 200})
    stop = lightgbm.early_stopping(3, verbose=False)
    estimator.fit(X[:200], Y[:200], eval_X=X[200:], eval_y=Y[200:], callbacks=[stop])
    assert estimator.best_iteration_ < 200
    hold(estimator, X)


def test_trees_that_never_split_and_a_single_class_are_answered() -> None:
    assert_exact(LGBMClassifier(min_split_gain=1e9, **SMALL).fit(X, Y), X, tolerance=LAST_DIGITS)
    assert_exact(LGBMRegressor(**SMALL).fit(X[:, :1], TARGET), X[:, :1], tolerance=0)


def frame() -> pd.DataFrame:
    words = pd.Categorical(RANDOM.choice(list("abcdeé"), 400), categories=list("éedcba"))
    sizes = pd.Categorical(RANDOM.choice(["lo", "mid", "hi"], 400), categories=["lo", "mid", "hi"], ordered=True)
    numbers = pd.Categorical(RANDOM.integers(0, 40, 400) * 10)
    made = pd.DataFrame({"x": MISSING[:, 0], "w": words, "i": numbers, "s": sizes, "z": MISSING[:, 1]})
    made.loc[::20, "w"] = None
    return made


WORDS, SIZES = tuple("abcdeé"), ("hi", "lo", "mid")


def matrix(rows: pd.DataFrame) -> Any:
    def codes(name: str, vocabulary: tuple[str, ...]) -> Any:
        found = np.array(pd.Index(vocabulary).get_indexer(rows[name]), np.float64)
        return np.where(rows[name].isna(), np.nan, found)

    return np.column_stack([rows.x, codes("w", WORDS), rows.i.astype(float), codes("s", SIZES), rows.z]).astype(
        np.float64
    )


def test_categories_that_pandas_held_are_read_by_name_and_unknown_ones_as_missing() -> None:
    rows = frame()
    target = (rows.w == "a") * 2 - (rows.w == "é") * 1.5 + rows.i.astype(int) // 10 % 3 + rows.s.cat.codes * 2
    estimator = LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL).fit(rows, target)
    unseen = rows.assign(
        w=pd.Categorical(rows.w.astype(object).where(np.arange(400) % 3 > 0, "new")),
        i=pd.Categorical(rows.i.astype(int) + np.arange(400) % 2),
    )
    for given in (rows, unseen):
        assert_exact(estimator, matrix(given), rows=given, vocabularies=[None, WORDS, None, SIZES, None], tolerance=0)


def test_categories_of_an_array_are_told_apart_by_their_whole_numbers() -> None:
    coded = np.column_stack([MISSING[:, 0], RANDOM.integers(0, 5, 400), RANDOM.integers(0, 80, 400), X[:, 1]])
    target = coded[:, 1] % 3 + coded[:, 2] % 4 + np.nan_to_num(coded[:, 0])
    estimator = LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL)
    estimator.fit(coded, target, categorical_feature=[1, 2])
    values = (0, 3, 3.7, -0.5, -1, np.nan, 1e30, 2.0**31 + 3, 2.0**32 + 3, 100, 79.9, np.inf, -np.inf, 1e-40)
    strange = np.array([[0.5, value, value, 0.5] for value in values])
    assert_exact(estimator, np.concatenate([coded, strange]), tolerance=0)
    assert_independent(estimator, coded)


def test_what_has_no_exact_graph_is_refused() -> None:
    refused = [
        (LGBMRegressor(linear_tree=True, **SMALL).fit(X, TARGET), "linear"),
        (LGBMRegressor(objective=squared_error, **SMALL).fit(X, TARGET), "own"),
        (LGBMRegressor(objective="cross_entropy_lambda", **SMALL).fit(X, Y > 0), "cross_entropy_lambda"),
    ]
    for estimator, reason in refused:
        with pytest.raises(UnsupportedError, match=reason):
            run_graph(estimator, X)
    rows = frame()
    estimator = LGBMRegressor(**SMALL).fit(rows, TARGET)
    with pytest.raises(UnsupportedError, match="which columns"):
        run_graph(estimator, matrix(rows), [None, WORDS, None, None, None])


def test_zeros_that_are_missing_in_some_trees_only_are_refused() -> None:
    first = LGBMRegressor(zero_as_missing=True, **SMALL).fit(X, TARGET)
    estimator = LGBMRegressor(**SMALL).fit(MISSING, TARGET, init_model=first)
    with pytest.raises(UnsupportedError, match="zeros"):
        run_graph(estimator, X)


def squared_error(target: Any, prediction: Any) -> tuple[Any, Any]:
    return prediction - target, np.ones_like(target)
