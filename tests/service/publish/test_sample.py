from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

from service.bundle import Outputs, Signature
from service.engines.frames import assemble
from service.errors import PublishError
from service.publish.sample import Sample, read_sample

X = np.random.default_rng(0).normal(size=(20, 3))


def _kinds(sample: Sample) -> list[str]:
    return [feature.dtype for feature in sample.features]


def _rebuilt(sample: Sample) -> Any:
    signature = Signature(container=sample.container, features=sample.features, outputs=Outputs(dtype="float64"))
    return assemble(signature, sample.rows)


def test_an_array_has_features_named_by_position() -> None:
    sample = read_sample(LinearRegression().fit(X, X[:, 0]), X)
    assert sample.container == "array"
    assert [feature.name for feature in sample.features] == ["x0", "x1", "x2"]
    np.testing.assert_array_equal(sample.rows.numbers, X)


def test_an_array_for_an_estimator_of_named_columns_becomes_a_frame() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    sample = read_sample(LinearRegression().fit(frame, X[:, 0]), X)
    assert sample.container == "frame"
    pd.testing.assert_frame_equal(_rebuilt(sample), frame)


def test_a_frame_for_an_estimator_of_arrays_becomes_an_array() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    sample = read_sample(LinearRegression().fit(X, X[:, 0]), frame)
    assert sample.container == "array"
    assert [feature.name for feature in sample.features] == ["a", "b", "c"]


def test_columns_that_the_estimator_does_not_know_are_left_out_and_the_rest_ordered() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    estimator = LinearRegression().fit(frame[["c", "a"]], X[:, 1])
    sample = read_sample(estimator, frame)
    assert [feature.name for feature in sample.features] == ["c", "a"]


def test_a_column_that_is_lacking_is_named() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    with pytest.raises(PublishError, match="'b'"):
        read_sample(LinearRegression().fit(frame, X[:, 0]), frame[["a", "c"]])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "uint8"])
def test_arrays_are_rebuilt_in_their_own_dtype(dtype: str) -> None:
    array = (X > 0).astype(dtype) if dtype != "float32" else X.astype(dtype)
    sample = read_sample(LinearRegression().fit(X, X[:, 0]), array)
    np.testing.assert_array_equal(_rebuilt(sample), array)


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        ([1.5, None, 3.0], "float64", "float64"),
        ([1, 2, 3], "int64", "int64"),
        ([1, None, 3], "Int64", "int64"),
        ([1.5, None, 2.5], "Float64", "float64"),
        ([True, False, True], "bool", "bool"),
        ([True, None, False], "boolean", "bool"),
        ([True, np.nan, False], "object", "bool"),
        ([True, None, False], "object", "bool"),
        ([1.5, np.nan, 2], "object", "float64"),
        (["a", None, "b"], "object", "string"),
        (["a", np.nan, "b"], "object", "string"),
        (["a", np.nan, "b"], "str", "string"),
        (["a", None, "b"], "string", "string"),
        (["a", None, "b"], "category", "string"),
        ([1, 3, 1], "category", "int64"),
    ],
)
def test_columns_are_rebuilt_in_their_own_dtype(values: list[Any], dtype: str, kind: str) -> None:
    frame = pd.DataFrame({"c": pd.Series(values, dtype=dtype), "n": [1.0, 2.0, 3.0]})
    sample = read_sample(object(), frame)
    assert _kinds(sample) == [kind, "float64"]
    rebuilt = _rebuilt(sample)
    pd.testing.assert_frame_equal(rebuilt, frame, check_dtype=dtype != "object" or kind == "string")
    if kind != "float64":
        assert [value is None for value in rebuilt["c"]] == [value is None for value in frame["c"]]
    assert sample.features[0].nullable == bool(pd.isna(frame["c"]).any())


def test_texts_come_as_a_list_an_array_a_series_or_a_column() -> None:
    texts = ["one fish", "two fish"]
    estimator = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, [0, 1])
    for rows in (texts, np.array(texts), np.array(texts, object), pd.Series(texts), pd.DataFrame({"text": texts})):
        sample = read_sample(estimator, rows)
        assert sample.container == "texts"
        assert list(_rebuilt(sample)) == texts


def test_records_lists_and_sparse_rows_are_tables() -> None:
    estimator = LinearRegression().fit(X, X[:, 0])
    for rows in (X.tolist(), sparse.csr_matrix(X), [dict(zip("abc", row, strict=True)) for row in X.tolist()]):
        np.testing.assert_array_equal(read_sample(estimator, rows).rows.numbers, X)


@pytest.mark.parametrize(
    "rows", [np.zeros(3), np.zeros((2, 2, 2)), np.empty((0, 3)), [], "text", 7, [[1, 2], [3]]], ids=repr
)
def test_what_is_no_table_is_refused(rows: Any) -> None:
    with pytest.raises(PublishError):
        read_sample(LinearRegression().fit(X, X[:, 0]), rows)


@pytest.mark.parametrize("values", [[1, "a"], [{"a": 1}, {}], [b"x", b"y"]], ids=repr)
def test_a_column_of_other_things_is_named(values: list[Any]) -> None:
    with pytest.raises(PublishError, match="column 'odd'"):
        read_sample(object(), pd.DataFrame({"odd": pd.Series(values, dtype=object)}))


def test_a_column_of_dates_is_named() -> None:
    with pytest.raises(PublishError, match="column 'when'"):
        read_sample(object(), pd.DataFrame({"when": pd.to_datetime(["2026-01-01", "2026-01-02"])}))
