from __future__ import annotations

import math
from typing import Any

import pytest

from service.codec.columns import Column, NumberColumn, StringColumn, columns_of, describe, quote
from tests.service.codec.signatures import feature, signature


def number(dtype: str = "float64", **rules: Any) -> NumberColumn:
    return NumberColumn(feature("x", dtype, **rules))


def string(**rules: Any) -> StringColumn:
    return StringColumn(feature("x", "string", **rules))


def refusal(column: Column, value: Any) -> str:
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        column.decode(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float64", 1, 1.0),
        ("float64", -0.5, -0.5),
        ("float64", 2**64, 2.0**64),
        ("float32", 3.4028235677973362e38, 3.4028235677973362e38),
        ("int64", 3.0, 3.0),
        ("int64", -(2**63), -(2.0**63)),
        ("bool", True, 1.0),
        ("bool", False, 0.0),
        ("bool", 1, 1.0),
        ("bool", 0.0, 0.0),
    ],
)
def test_a_number_becomes_a_float64(dtype: str, value: Any, expected: float) -> None:
    decoded = number(dtype).decode(value)
    assert type(decoded) is float
    assert decoded == expected


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        ("float64", "abc", "expected a number, got the string 'abc'"),
        ("float64", "1.5", "expected a number, got the string '1.5'"),
        ("float64", True, "expected a number, got true"),
        ("float64", None, "expected a number, got null"),
        ("float64", [1], "expected a number, got an array"),
        ("float64", {}, "expected a number, got an object"),
        ("float64", 10**400, "expected a number that float64 can hold, got a whole number of 1329 bits"),
        ("float64", math.inf, "expected a number that float64 can hold, got inf"),
        ("float64", math.nan, "expected a number that float64 can hold, got nan"),
        ("float32", 3.4028235677973366e38, "expected a number that float32 can hold, got 3.4028235677973366e+38"),
        ("float32", -1e39, "expected a number that float32 can hold, got -1e+39"),
        ("int64", 3.5, "expected a whole number, got 3.5"),
        ("int64", 2**63, "expected a whole number that int64 can hold, got 9223372036854775808"),
        ("bool", 2, "expected true or false, got 2"),
        ("bool", 0.5, "expected true or false, got 0.5"),
        ("bool", "true", "expected true or false, got the string 'true'"),
        ("bool", None, "expected true or false, got null"),
    ],
)
def test_what_is_no_number_of_its_kind_is_refused_in_words(dtype: str, value: Any, message: str) -> None:
    assert refusal(number(dtype), value) == message


def test_bounds_are_inclusive() -> None:
    column = number(accepts_min=0.0, accepts_max=2.5)
    assert (column.decode(0), column.decode(2.5)) == (0.0, 2.5)
    assert refusal(column, -0.1) == "expected at least 0, got -0.1"
    assert refusal(column, 3) == "expected at most 2.5, got 3"


def test_a_closed_number_must_be_one_of_its_categories() -> None:
    column = number("int64", closed=True, categories=(1, 2, 3, 4, 5, 6, 7))
    assert column.decode(7) == 7.0
    assert refusal(column, 8) == "expected one of 1, 2, 3, 4, 5 or 2 more, got 8"


def test_null_is_a_missing_value_where_the_feature_takes_one() -> None:
    assert math.isnan(number(nullable=True, accepts_min=0.0).decode(None))
    assert math.isnan(number("bool", nullable=True).decode(None))
    assert string(nullable=True, closed=True, categories=("a",)).decode(None) is None


def test_a_string_stays_as_it_is() -> None:
    assert string().decode("né 1.5\n") == "né 1.5\n"
    assert string(categories=("a", "b")).decode("never seen") == "never seen"
    assert refusal(string(), 3) == "expected a string, got 3"
    assert refusal(string(), None) == "expected a string, got null"


def test_a_closed_string_must_be_one_of_its_categories() -> None:
    column = string(closed=True, categories=("a", "b"))
    assert column.decode("b") == "b"
    assert refusal(column, "c") == "expected one of 'a', 'b', got 'c'"


def test_columns_keep_the_order_of_the_features() -> None:
    columns = columns_of(signature(feature("a", "string"), feature("b"), feature("c", "bool")))
    assert [(type(column), column.name) for column in columns] == [
        (StringColumn, "a"),
        (NumberColumn, "b"),
        (NumberColumn, "c"),
    ]


@pytest.mark.parametrize("text", ["x" * 41, "x" * 10_000, "\x00" * 40, "\ud800" * 30, "'\"" * 30])
def test_a_quoted_string_is_short_and_on_one_line(text: str) -> None:
    quoted = quote(text)
    assert len(quoted) <= 42
    assert quoted.isprintable()
    assert quoted[0] == quoted[-1]


def test_a_short_string_is_quoted_whole() -> None:
    assert quote("x" * 40) == repr("x" * 40)


def test_a_description_never_grows_with_the_value() -> None:
    for value in ("x" * 10**6, 10**5000, list(range(10**5)), dict.fromkeys(range(10**5)), 1.7976931348623157e308):
        assert len(describe(value)) < 60
