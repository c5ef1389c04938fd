from __future__ import annotations

import numpy as np
import pytest

from service.compile.category_codes import codes_by_name, codes_by_number, replace_columns
from service.compile.graph import UnsupportedError
from tests.service.compile.test_lookup import run

VOCABULARY = ("b", "a", "c")


def test_codes_by_name_are_places_among_the_categories() -> None:
    rows = np.array([[0.0, 20.0], [1.0, 10.0], [-1.0, 15.0], [np.nan, np.nan]])
    found = run(lambda x: codes_by_name(x, {0: ["a", "b"], 1: [10, 20]}), rows, [VOCABULARY, None])
    np.testing.assert_array_equal(found, [[1.0, 1.0], [0.0, 0.0], [np.nan, np.nan], [np.nan, np.nan]])


def test_codes_by_number_lose_their_fraction_and_are_unknown_below_zero() -> None:
    values = [0.0, 3.9, -0.9, -1.0, 4.0, 2.0**32, 1e30, np.inf, np.nan]
    expected = [0.0, 3.0, 0.0, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan]
    found = run(lambda x: codes_by_number(x, {0: [0, 3]}), np.array(values)[:, None])
    np.testing.assert_array_equal(found[:, 0], expected)


def test_replaced_columns_stand_where_the_others_were() -> None:
    rows = np.array([[1.0, 2.0, 3.0, 4.0]])
    vocabularies = [None, VOCABULARY, None, VOCABULARY]
    found = run(lambda x: replace_columns(x, 4, [([3, 1], x.columns([0, 2]) * 10.0)]), rows, vocabularies)
    np.testing.assert_array_equal(found, [[1.0, 30.0, 3.0, 10.0]])
    every = run(lambda x: replace_columns(x, 4, [([3, 1, 0, 2], x * 1.0)]), rows)
    np.testing.assert_array_equal(every, [[3.0, 2.0, 4.0, 1.0]])


def test_a_column_of_strings_that_nothing_replaces_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="string"):
        run(lambda x: replace_columns(x, 2, []), np.zeros((1, 2)), [None, VOCABULARY])
    with pytest.raises(UnsupportedError, match="string"):
        run(lambda x: replace_columns(x, 2, [([0], x.columns([0]) * 1.0)]), np.zeros((1, 2)), [None, VOCABULARY])
