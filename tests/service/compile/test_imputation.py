from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - importing it makes the imputer importable
from sklearn.impute import IterativeImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import BayesianRidge, Ridge

from service.compile.graph import UnsupportedError
from tests.service.compile.frames import assert_transforms, assert_transforms_frame, run_transform

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(150, 4)) @ RANDOM.normal(size=(4, 4)) * [1, 10, 1e9, 1e-3]
X[RANDOM.random(X.shape) < 0.2] = np.nan
EMPTY = np.column_stack([X[:, 0], np.full(150, np.nan), X[:, 1:]])
FRAME = pd.DataFrame(
    {
        "city": RANDOM.choice(np.array(["Oslo", "東京", np.nan], object), 100),
        "plan": RANDOM.choice(np.array(["free", "plus", "missing", np.nan], object), 100, p=[0.1, 0.6, 0.2, 0.1]),
        "rooms": RANDOM.choice([1.0, 2.0, np.nan], 100),
    }
)
STRINGS = FRAME[["city", "plan"]]
ASKED = pd.DataFrame({"city": ["Oslo", np.nan, "Köln"], "plan": [np.nan, "free", "??"]})


@pytest.fixture(autouse=True)
def _empty_features_only_warn() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping features without any observed values")
        yield


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("add_indicator", [False, True])
@pytest.mark.parametrize("keep_empty_features", [False, True])
def test_missing_numbers_are_filled_in(strategy: Any, add_indicator: bool, keep_empty_features: bool) -> None:
    imputer = SimpleImputer(strategy=strategy, add_indicator=add_indicator, keep_empty_features=keep_empty_features)
    assert_transforms(imputer.fit(X), X)
    assert_transforms(imputer.fit(EMPTY), np.concatenate([EMPTY, np.nan_to_num(EMPTY)]))


def test_a_number_may_stand_for_missing() -> None:
    rows = np.nan_to_num(X, nan=-1.0)
    assert_transforms(SimpleImputer(missing_values=-1, strategy="median", add_indicator=True).fit(rows), rows)


@pytest.mark.parametrize("strategy", [{"strategy": "most_frequent"}, {"strategy": "constant"}])
@pytest.mark.parametrize("fill", [{}, {"fill_value": "missing"}, {"fill_value": "none"}])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_strings_are_filled_in_and_unknown_ones_left_alone(strategy: Any, fill: Any, add_indicator: bool) -> None:
    imputer = SimpleImputer(**strategy, **fill, add_indicator=add_indicator).fit(STRINGS)
    assert_transforms_frame(imputer, STRINGS, pd.concat([STRINGS, ASKED]))


def test_numbers_beside_strings_are_filled_in_too() -> None:
    assert_transforms_frame(SimpleImputer(strategy="most_frequent").fit(FRAME), FRAME, FRAME)


def test_none_is_missing_where_the_imputer_says_so() -> None:
    frame = pd.DataFrame({"plan": pd.Series(["free", None, "plus", "free"], dtype=object)})
    imputer = SimpleImputer(missing_values=None, strategy="constant", fill_value="none")
    assert_transforms_frame(imputer.fit(frame), frame, frame)


def test_a_string_may_stand_for_missing() -> None:
    frame = FRAME[["plan"]].fillna("free")
    imputer = SimpleImputer(missing_values="missing", strategy="most_frequent").fit(frame)
    assert_transforms_frame(imputer, frame, frame)
    with pytest.raises(UnsupportedError, match="vocabulary"):
        run_transform(imputer, np.zeros((1, 1)), [("free", "plus")])
    with pytest.raises(UnsupportedError, match="column of numbers"):
        run_transform(imputer, np.zeros((1, 1)))


@pytest.mark.parametrize("features", ["missing-only", "all"])
def test_missing_numbers_and_strings_are_marked(features: Any) -> None:
    indicator = MissingIndicator(features=features).fit(X)
    assert_transforms(indicator, X)
    assert_transforms_frame(MissingIndicator(features=features).fit(FRAME), FRAME, FRAME)


@pytest.mark.parametrize(
    "settings", [{}, {"max_iter": 3, "tol": 1e-9, "add_indicator": True}, {"keep_empty_features": True}]
)
@pytest.mark.parametrize("estimator", [BayesianRidge(), Ridge()])
def test_regressors_fill_in_missing_numbers_from_the_others(settings: Any, estimator: Any) -> None:
    for rows in (X, EMPTY):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            imputer = IterativeImputer(estimator, random_state=0, min_value=-20, max_value=1e10, **settings).fit(rows)
        assert_transforms(imputer, rows, tolerance=1e-10)
        assert_transforms(imputer, np.full((2, rows.shape[1]), np.nan), tolerance=1e-10)
        assert_transforms(imputer, np.full((1, rows.shape[1]), 5.0))


def test_rows_without_missing_values_leave_nothing_to_learn() -> None:
    rows = np.nan_to_num(X)
    assert_transforms(IterativeImputer().fit(rows), rows)


def test_a_column_alone_or_no_rounds_leave_the_initial_imputation() -> None:
    assert_transforms(IterativeImputer(add_indicator=True).fit(X[:, :1]), X[:, :1])
    assert_transforms(IterativeImputer(max_iter=0, add_indicator=True).fit(EMPTY), EMPTY)


def test_random_imputation_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        imputer = IterativeImputer(sample_posterior=True, max_iter=2, random_state=0).fit(X)
    with pytest.raises(UnsupportedError, match="random"):
        run_transform(imputer, X)
