from __future__ import annotations

import numpy as np
import pytest

from service.codec.named import NamedRows, Strings
from service.codec.vocabulary import LONGEST_BYTES, WORD_BYTES

NAMES = ["a", "a name of several words", "é"]


def order(body: bytes, names: list[str] = NAMES) -> list[int] | None:
    """The order in rows whose values are no strings."""
    text = np.frombuffer(body + bytes(LONGEST_BYTES + WORD_BYTES), np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    found = NamedRows(names).order(text, Strings(quotes[::2], quotes[1::2] + 1), 1)
    return None if found is None else found.tolist()


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ('[{"a":1,"a name of several words":2,"é":3}]', [0, 1, 2]),
        ('[{"é":3,"a":1,"a name of several words":2},{"é":3,"a":1,"a name of several words":2}]', [1, 2, 0]),
        ('[{"é": 3, "a name of several words": 1, "a": 2}, {"é": 3, "a name of several words": 1, "a": 2}]', [2, 1, 0]),
    ],
)
def test_each_feature_has_its_place_in_a_row(rows: str, places: list[int]) -> None:
    assert order(rows.encode()) == places


@pytest.mark.parametrize(
    "rows",
    [
        '[{"a":1,"b":2}]',
        '[{"a":1,"b":2,"é":3}]',
        '[{"a":1,"a":2,"é":3}]',
        '[{"a":1,"a name of several words":2,"é":3},{"é":3,"a":1,"a name of several words":2}]',
        '[{"a":1,"a name of several words":2,"é":3},{"a":1,"a name of several wordz":2,"é":3}]',
        '[{"a":1,"a name of several words":2,"é":3},{"a":1,"a name of several words":2,"è":3}]',
        '[{1,"a":"a name of several words":2,"é":3}]',
        '[{"a":1,"a name of several words":2,"é":{"a":1,"a name of several words":2,"é":3}]',
        '[ {"a":1,"a name of several words":2,"é":3}]',
        "[{}]",
    ],
)
def test_rows_of_other_keys_or_with_keys_elsewhere_have_no_order(rows: str) -> None:
    assert order(rows.encode()) is None


def test_a_single_feature_has_an_order() -> None:
    assert order(b'[{"a":1},{"a":2}]', ["a"]) == [0]
