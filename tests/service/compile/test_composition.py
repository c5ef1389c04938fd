from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - importing it makes the searches importable
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, HalvingRandomSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact
from tests.service.compile.frames import (
    assert_transforms,
    assert_transforms_frame,
    encode,
    run_transform,
    vocabularies_of,
)

RANDOM = np.random.default_rng(0)
X, Y = datasets.load_iris(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
FRAME = pd.DataFrame(
    {
        "age": RANDOM.normal(40, 12, 200).round(1),
        "children": RANDOM.integers(0, 5, 200),
        "city": RANDOM.choice(np.array(["Zürich", "Oslo", "東京", np.nan], object), 200),
        "plan": RANDOM.choice(["free", "plus"], 200),
        "active": RANDOM.random(200) < 0.5,
        "income": np.where(RANDOM.random(200) < 0.2, np.nan, RANDOM.lognormal(10, 1, 200)),
    }
)
LABELS = np.where(FRAME["age"] + 9 * FRAME["active"] + 12 * (FRAME["city"] == "Oslo") > 50, "leaves", "stays")
ASKED = pd.concat(
    [FRAME, FRAME.head(3).assign(city=["Köln", np.nan, ""], age=[1e9, -1e9, 0.0], income=[np.nan, 1e30, 0.0])]
)
NUMBERS = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
STRINGS = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore"))
MIXED = ColumnTransformer(
    [
        ("numbers", NUMBERS, ["age", "children", "income"]),
        ("strings", STRINGS, ["city", "plan"]),
        ("booleans", "passthrough", ["active"]),
    ]
)


@pytest.mark.parametrize("estimator", [LogisticRegression(), RandomForestClassifier(10, random_state=0)])
def test_a_pipeline_of_mixed_columns_predicts(estimator: Any) -> None:
    vocabularies = vocabularies_of(FRAME)
    fitted = make_pipeline(MIXED, "passthrough", estimator).fit(FRAME, LABELS)
    assert_exact(fitted, encode(ASKED, vocabularies), rows=ASKED, vocabularies=vocabularies, tolerance=1e-12)


@pytest.mark.parametrize(
    "columns",
    [
        [("drop", ["age"]), (OrdinalEncoder(), ["plan"])],
        [(StandardScaler(), [0, 1]), (OneHotEncoder(), [-3])],
        [(MinMaxScaler(), slice(0, 2)), (OneHotEncoder(), slice("plan", "active"))],
        [(StandardScaler(), np.array([True, True, False, False, False, False])), (MinMaxScaler(), [])],
        [(StandardScaler(), make_column_selector(dtype_include=np.number)), (OneHotEncoder(), ["city"])],
        [("passthrough", lambda _: ["income"])],
    ],
)
@pytest.mark.parametrize("remainder", ["drop", "passthrough", SimpleImputer(strategy="most_frequent")])
def test_columns_are_chosen_as_they_were_when_fitted(columns: Any, remainder: Any) -> None:
    fitted = make_column_transformer(*columns, remainder=remainder).fit(FRAME)
    assert_transforms_frame(fitted, FRAME, FRAME)


def test_columns_of_arrays_have_weights() -> None:
    parts = [("scaled", StandardScaler(), [0, 1]), ("raw", "passthrough", [1, 2])]
    assert_transforms(ColumnTransformer(parts, transformer_weights={"scaled": 0.3, "raw": 7}).fit(X), X)


def test_nothing_may_be_kept() -> None:
    assert_transforms(ColumnTransformer([("none", "drop", [0])]).fit(X), X)


def test_later_columns_are_chosen_by_the_names_that_earlier_ones_were_given() -> None:
    first = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["age", "income"]),
            ("strings", SimpleImputer(strategy="most_frequent"), ["city"]),
        ]
    )
    second = ColumnTransformer(
        [("again", StandardScaler(), ["numbers__income"]), ("coded", OneHotEncoder(), ["strings__city"])],
        sparse_threshold=0,
    )
    vocabularies = vocabularies_of(FRAME)
    fitted = make_pipeline(first, second, LogisticRegression()).set_output(transform="pandas")
    second.set_params(coded__sparse_output=False)
    fitted.fit(FRAME, LABELS)
    assert_exact(fitted, encode(FRAME, vocabularies), rows=FRAME, vocabularies=vocabularies, tolerance=1e-12)


@pytest.mark.parametrize("sparse_threshold", [0.0, 1.0])
def test_a_sparse_result_is_scaled_as_scikit_learn_scales_it(sparse_threshold: float) -> None:
    columns = ColumnTransformer(
        [("strings", OneHotEncoder(), ["plan"]), ("numbers", "passthrough", ["age"])], sparse_threshold=sparse_threshold
    )
    fitted = make_pipeline(columns, StandardScaler(with_mean=False)).fit(FRAME)
    assert_transforms_frame(fitted, FRAME, FRAME)


def test_a_union_stands_side_by_side_with_weights() -> None:
    union = FeatureUnion(
        [("scaled", StandardScaler()), ("raw", "passthrough"), ("gone", "drop"), ("range", MinMaxScaler())],
        transformer_weights={"range": 0.1},
    )
    assert_transforms(union.fit(X), X)
    assert_exact(make_pipeline(union, Ridge()).fit(X, X[:, 0]), X, tolerance=1e-12)


def test_an_empty_union_has_no_columns() -> None:
    assert_transforms(FeatureUnion([("gone", "drop")]).fit(X), X)


def test_weighted_strings_are_refused() -> None:
    fitted = ColumnTransformer([("raw", "passthrough", [0])], transformer_weights={"raw": 2.0}).fit(X)
    with pytest.raises(UnsupportedError, match="string column"):
        run_transform(fitted, X, [("a",), None, None, None])


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2),
        RandomizedSearchCV(LogisticRegression(), {"C": [0.1, 1]}, n_iter=1, cv=2),
        HalvingGridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2, random_state=0),
        HalvingRandomSearchCV(LogisticRegression(), {"C": [0.1, 1]}, n_candidates=2, cv=2, random_state=0),
    ],
)
def test_a_search_answers_with_its_best(search: Any) -> None:
    assert_exact(search.fit(X, Y), X)


def test_a_search_may_end_in_a_transformer() -> None:
    search = GridSearchCV(
        Pipeline([("scaled", StandardScaler()), ("last", PCA())]), {"last__n_components": [1, 2]}, cv=2
    )
    assert_transforms(search.fit(X), X, tolerance=1e-12)


def test_a_frozen_estimator_answers_as_the_one_in_it() -> None:
    assert_exact(FrozenEstimator(LogisticRegression().fit(X, Y)), X)
    assert_transforms(FrozenEstimator(StandardScaler().fit(X)), X)
