from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import UNSEEN, Rows, Signature
from service.codec.careful import CarefulDecoder, Problems
from service.codec.columns import columns_of
from service.codec.fast import FastDecoder
from tests.service.codec.signatures import feature, instances, signature, signatures, texts


def fast(of: Signature, rows: list[Any]) -> Rows | None:
    return FastDecoder(columns_of(of), texts=of.container == "texts").decode(rows)


def codes(of: Signature, rows: Rows) -> list[list[float]]:
    known = [feature.codes() for feature in of.features if feature.is_string]
    return [[codes.get(value, UNSEEN) for codes, value in zip(known, row, strict=True)] for row in rows.strings]


def assert_same(got: Rows, expected: Rows) -> None:
    np.testing.assert_array_equal(got.numbers, expected.numbers)
    np.testing.assert_array_equal(np.signbit(got.numbers), np.signbit(expected.numbers))
    assert (got.numbers.dtype, got.numbers.shape) == (expected.numbers.dtype, expected.numbers.shape)
    assert got.numbers.flags.c_contiguous
    assert expected.numbers.flags.c_contiguous
    assert (got.strings.dtype, got.strings.shape) == (expected.strings.dtype, expected.strings.shape)
    assert got.strings.tolist() == expected.strings.tolist()


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_what_it_takes_is_what_the_careful_decoder_takes(data: st.DataObject) -> None:
    of = data.draw(signatures())
    rows = data.draw(instances(of))
    problems = Problems()
    careful = CarefulDecoder(columns_of(of), texts=of.container == "texts").decode(rows, str, problems)
    got = fast(of, rows)
    assert (careful is None) == bool(problems.found)
    if got is not None:
        assert careful is not None, problems.found
        assert_same(got, careful)
        if got.codes is not None:
            np.testing.assert_array_equal(got.codes, codes(of, careful))
    elif careful is not None:
        mixed = len({type(row) for row in rows}) != 1
        assert mixed, "a request of one form without a fault took the slow path"


@pytest.mark.parametrize(
    "rows",
    [
        [[1.0, 2]],
        [{"a": 1.0, "b": 2}],
        [{"b": 2, "a": 1.0}],
        [[1, 2.0], [1, 2]],
    ],
)
def test_numbers_become_one_matrix(rows: list[Any]) -> None:
    decoded = fast(signature(feature("a"), feature("b")), rows)
    assert decoded is not None
    np.testing.assert_array_equal(decoded.numbers, [[1.0, 2.0]] * len(rows))
    assert decoded.strings.shape == (len(rows), 0)


@pytest.mark.parametrize(
    "row", [["1", 2], [True, 2], [None, 2], [[1], 2], [1], [1, 2, 3], [1, 10**400], [{}, 2], [float("nan"), 2], "12"]
)
def test_what_numpy_alone_would_take_or_choke_on_is_left_to_the_careful_decoder(row: Any) -> None:
    assert fast(signature(feature("a"), feature("b")), [row]) is None


def test_null_becomes_nan_only_where_it_is_taken() -> None:
    of = signature(feature("a"), feature("b", nullable=True))
    decoded = fast(of, [[1, None], [2, 3]])
    assert decoded is not None
    np.testing.assert_array_equal(decoded.numbers, [[1, np.nan], [2, 3]])
    assert fast(of, [[None, 1]]) is None


def test_a_nan_that_is_no_null_is_not_taken_for_one() -> None:
    of = signature(feature("a", nullable=True), feature("b", nullable=True))
    assert fast(of, [[None, float("nan")]]) is None


def test_booleans_are_taken_in_boolean_features_only() -> None:
    of = signature(feature("a", "bool"), feature("b"))
    decoded = fast(of, [[True, 2], [0, 3]])
    assert decoded is not None
    np.testing.assert_array_equal(decoded.numbers, [[1, 2], [0, 3]])
    assert fast(of, [[True, True]]) is None


def test_one_feature_is_still_a_row() -> None:
    decoded = fast(signature(feature("a")), [[1], [2]])
    assert decoded is not None
    assert decoded.numbers.shape == (2, 1)
    assert fast(signature(feature("a")), [1, 2]) is None


def test_strings_come_with_their_place_among_the_categories() -> None:
    town = feature("town", "string", nullable=True, categories=("Oslo", "Rome"))
    decoded = fast(signature(town, feature("a")), [["Rome", 1], [None, 2], ["Bergen", 3], ["Oslo", 4]])
    assert decoded is not None
    assert decoded.codes is not None
    np.testing.assert_array_equal(decoded.codes, [[1], [np.nan], [UNSEEN], [0]])
    assert decoded.strings.tolist() == [["Rome"], [None], ["Bergen"], ["Oslo"]]


def test_booleans_among_numbers_are_not_looked_for_where_there_are_none() -> None:
    decoder = FastDecoder(columns_of(signature(feature("a"))), texts=False)
    assert decoder.decode([[1.5]], booleans=False) is not None
    assert decoder.decode([["1.5"]], booleans=False) is None


def test_texts_are_rows_of_one_string() -> None:
    decoded = fast(texts(), ["a", "bcd"])
    assert decoded is not None
    assert decoded.strings.tolist() == [["a"], ["bcd"]]
    assert decoded.numbers.shape == (2, 0)


def test_no_rows_are_left_to_the_careful_decoder() -> None:
    assert fast(texts(), []) is None
