from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from service.bundle import Feature
from service.publish.domain import FLOAT32_MAX
from service.publish.preparation import prepare

X = np.random.default_rng(0).normal(size=(80, 3))
Y = (X[:, 0] > 0).astype(int)


def _features(estimator: Any, rows: Any) -> dict[str, Feature]:
    return {feature.name: feature for feature in prepare(estimator, rows).signature.features}


def test_missing_values_are_taken_where_the_estimator_takes_them() -> None:
    assert not any(f.nullable for f in _features(LogisticRegression().fit(X, Y), X).values())
    assert all(f.nullable for f in _features(HistGradientBoostingClassifier(max_iter=2).fit(X, Y), X).values())


def test_missing_values_are_taken_feature_by_feature() -> None:
    columns = make_column_transformer((SimpleImputer(), [1]), (StandardScaler(), [0, 2]))
    features = _features(make_pipeline(columns, LogisticRegression()).fit(X, Y), X)
    assert [f.nullable for f in features.values()] == [False, True, False]


def test_a_tree_takes_what_float32_holds() -> None:
    features = _features(RandomForestClassifier(3, random_state=0).fit(X, Y), X)
    assert {(f.accepts_min, f.accepts_max) for f in features.values()} == {(-FLOAT32_MAX, FLOAT32_MAX)}


def test_codes_of_categories_have_both_bounds() -> None:
    codes = np.clip(np.floor(np.abs(X) * 3), 0, 4)
    features = _features(CategoricalNB(min_categories=5).fit(codes, Y), codes)
    # it cuts rows to whole numbers first
    assert all(-1 < (f.accepts_min or -1) <= 0 for f in features.values())
    assert all(4 <= (f.accepts_max or 0) < 5 for f in features.values())


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=type)
def test_a_category_that_the_encoder_refuses_closes_the_feature(encoder: Any) -> None:
    frame = pd.DataFrame({"city": ["Oslo", "Bergen", "Zürich", "Oslo"] * 5, "n": np.arange(20.0)})
    columns = make_column_transformer((encoder, ["city"]), remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, [0, 1] * 10)
    city = _features(estimator, frame.head(2))["city"]
    assert city.closed
    assert city.categories == ("Bergen", "Oslo", "Zürich")


def test_numbers_that_are_categories_close_the_feature() -> None:
    codes = np.array([[1, 0.5], [2, 0.1], [5, 0.2], [2, 0.9]] * 5)
    columns = make_column_transformer((OneHotEncoder(), [0]), remainder="passthrough")
    features = _features(make_pipeline(columns, LogisticRegression()).fit(codes, [0, 1] * 10), codes)
    assert features["x0"].closed
    assert features["x0"].categories == (1.0, 2.0, 5.0)
    assert not features["x1"].closed


def test_each_encoder_closes_its_own_feature_though_others_know_other_numbers() -> None:
    codes = np.array([[1, 0, 0.5], [2, 1, 0.1], [5, 2, 0.2], [2, 9, 0.9]] * 5)
    columns = make_column_transformer((OneHotEncoder(), [0]), (OrdinalEncoder(), [1]), remainder="passthrough")
    features = _features(make_pipeline(columns, LogisticRegression()).fit(codes, [0, 1] * 10), codes)
    assert [f.categories for f in features.values()] == [(1, 2, 5), (0, 1, 2, 9), None]
    assert [f.closed for f in features.values()] == [True, True, False]


def test_numbers_held_as_objects_close_the_feature_whatever_booleans_there_are() -> None:
    frame = pd.DataFrame({"n": pd.Series([0, 1, 2, 3] * 5, dtype=object), "flag": [True, False] * 10})
    features = _features(make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame, [0, 1] * 10), frame)
    assert features["n"].closed
    assert features["n"].categories == (0, 1, 2, 3)


@pytest.mark.parametrize("values", [[1, 5, 7, -2], ["a", "b", "d", "c"]], ids=["numbers", "strings"])
def test_a_category_column_is_closed_where_the_estimator_refuses_missing_values(values: list[Any]) -> None:
    frame = pd.DataFrame({"plan": pd.Categorical(values * 5), "n": np.arange(20.0)})
    for encoder, closed in ((OneHotEncoder(), True), (OneHotEncoder(handle_unknown="ignore"), False)):
        columns = make_column_transformer((encoder, ["plan"]), remainder="passthrough")
        estimator = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, [0, 1] * 10)
        plan = _features(estimator, frame)["plan"]
        assert plan.closed == closed
        assert plan.categories == tuple(sorted(values))
        assert plan.accepts_min is None or plan.accepts_min < -1e9
        assert plan.accepts_max is None or plan.accepts_max > 1e9


def test_an_open_category_keeps_every_value_that_the_encoder_knows() -> None:
    frame = pd.DataFrame({"city": ["Oslo", "Bergen", "Zürich", "Oslo"] * 5, "n": np.arange(20.0)})
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((encoder, ["city"]), remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, [0, 1] * 10)
    city = _features(estimator, frame.head(2))["city"]
    assert not city.closed
    assert city.categories == ("Bergen", "Oslo", "Zürich")


def test_whole_numbers_are_served_as_numbers_where_it_makes_no_difference() -> None:
    frame = pd.DataFrame({"age": [20, 30, 40, 50] * 5, "n": np.arange(20)})
    features = _features(LogisticRegression(max_iter=500).fit(frame, [0, 1] * 10), frame)
    assert {f.dtype for f in features.values()} == {"float64"}


def test_nothing_that_the_signature_takes_is_refused_by_the_estimator() -> None:
    prepared = prepare(RandomForestClassifier(3, random_state=0).fit(X, Y), X)
    assert prepared.refused == 0
    assert len(prepared.hard.rows.numbers) > 500
