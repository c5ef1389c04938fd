from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from service.bundle import Rows
from service.compile.hard_rows import hard_rows
from service.publish.preparation import prepare
from service.publish.reference import Reference

X = np.random.default_rng(0).normal(size=(80, 2))
Y = (X[:, 0] > 0.25).astype(int)


def _hard(estimator: Any, rows: Any) -> Rows:
    return prepare(estimator, rows).hard.rows


def test_known_thresholds_are_met_exactly_and_on_both_sides() -> None:
    estimator = DecisionTreeClassifier(max_depth=1).fit(X, Y)
    threshold = float(estimator.tree_.threshold[0])
    values = set(_hard(estimator, X).numbers[:, int(estimator.tree_.feature[0])])
    assert {threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)} <= values


def test_steps_behind_a_scaler_are_found_between_neighbouring_numbers() -> None:
    estimator = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=1)).fit(X, Y)
    column = _hard(estimator, X).numbers[:, 0]
    column = column[~np.isnan(column)]
    labels = estimator.predict(np.column_stack([column, np.zeros_like(column)]))
    low, high = column[labels < 0.5].max(), column[labels > 0.5].min()
    assert high == np.nextafter(low, np.inf)


def test_a_continuous_estimator_has_no_steps_to_find() -> None:
    estimator = LogisticRegression().fit(X, Y)
    prepared = prepare(estimator, X)
    reference = Reference(estimator, prepared.signature)
    with_steps = hard_rows(prepared.signature, prepared.sample.rows, reference.answer)
    assert len(with_steps.numbers) == 512


def test_missing_values_come_alone_together_and_scattered() -> None:
    numbers = _hard(HistGradientBoostingClassifier(max_iter=2).fit(X, Y), X).numbers
    patterns = {tuple(row) for row in np.isnan(numbers).tolist()}
    assert patterns == {(False, False), (True, False), (False, True), (True, True)}


def test_categories_come_known_unknown_and_missing() -> None:
    frame = pd.DataFrame({"city": ["Oslo", "Bergen", None, "Oslo"] * 10, "n": np.arange(40.0)})
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((encoder, ["city"]), remainder="passthrough")
    cities = set(_hard(make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1] * 20), frame).strings[:, 0])
    assert {"Oslo", "Bergen", None, "", "nan"} <= cities
    assert any(city and not city.isascii() for city in cities)


def test_texts_come_in_many_alphabets() -> None:
    estimator = make_pipeline(CountVectorizer(), LogisticRegression()).fit(["one fish", "two fish"] * 5, [0, 1] * 5)
    texts = _hard(estimator, ["one fish", "two fish"]).strings[:, 0]
    assert "" in texts
    assert any(not text.isascii() for text in texts)


def test_magnitudes_reach_from_zero_to_huge() -> None:
    numbers = np.abs(_hard(LogisticRegression().fit(X, Y), X).numbers)
    assert numbers.min() == 0
    assert numbers.max() >= 1e18


def test_the_same_rows_are_made_each_time() -> None:
    estimator = DecisionTreeClassifier(max_depth=3).fit(X, Y)
    first, second = _hard(estimator, X), _hard(estimator, X)
    np.testing.assert_array_equal(first.numbers, second.numbers)


def test_booleans_come_in_every_combination() -> None:
    flags = np.array([[True, False], [False, True]] * 10)
    numbers = _hard(LogisticRegression().fit(flags, flags[:, 0]), flags).numbers
    assert {tuple(row) for row in numbers.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
