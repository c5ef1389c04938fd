from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import Signature
from service.codec.bytewise import BytewiseDecoder, BytewiseRequest
from service.codec.columns import columns_of
from service.codec.masking import NULL_VALUE, STRING_VALUE
from service.errors import RequestError
from tests.service.codec.signatures import NUMBERS, bodies_of, feature, signature
from tests.service.codec.test_decode import Careful
from tests.service.codec.test_fast import assert_same, codes

CATEGORIES = [
    "a",
    "b",
    "ab",
    "é",
    "日本",
    "[0, 1)",
    "{}",
    "9e9",
    "null",
    "x" * 7,
    "x" * 8,
    "x" * 20,
    "x" * 19 + "y",
    " a",
]
UNUSUAL = ["", 'q"', "back\\", "tab\t", "unknown", "x" * 21, "x" * 62]
TOWN = feature("town", "string", nullable=True, closed=True, categories=("Rome", "Oslo", "Bad Homburg vor der Höhe"))
HOUSE = signature(feature("rooms", "int64"), TOWN, feature("age", nullable=True))
ROWS: list[list[Any]] = [[3, "Rome", 10.5], [4, "Oslo", None], [5, None, 0.25], [6, "Bad Homburg vor der Höhe", -1]]


def decode(body: bytes, of: Signature = HOUSE, *, max_rows: int = 100) -> BytewiseRequest | None:
    return BytewiseDecoder(columns_of(of)).decode(body, max_rows=max_rows)


def sent(rows: Any, **spelled: Any) -> bytes:
    return json.dumps({"instances": rows}, **({"ensure_ascii": False} | spelled)).encode()


def named(rows: list[list[Any]], *order: int) -> list[dict[str, Any]]:
    names = [each.name for each in HOUSE.features]
    return [{names[i]: row[i] for i in order or range(len(row))} for row in rows]


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    features = []
    for i in range(draw(st.integers(1, 4))):
        rules: dict[str, Any] = {"nullable": draw(st.booleans())}
        dtype = draw(st.sampled_from(["float64", "int64", "string", "string"]))
        if dtype == "string":
            rules["categories"] = tuple(draw(st.sets(st.sampled_from(CATEGORIES + UNUSUAL), min_size=1)))
            rules["closed"] = draw(st.booleans())
        name = draw(st.sampled_from([f"f{i}", f"a name of more than a word {i}", f"é{i}", f'"{i}']))
        features.append(feature(name, dtype, **rules))
    return signature(*features)


@st.composite
def rows_of(draw: st.DrawFn, of: Signature) -> list[Any]:
    """Rows that are nearly always right, or they would nearly always be wrong."""
    numbers = st.one_of(st.integers(-9, 9), NUMBERS, st.sampled_from([STRING_VALUE, NULL_VALUE, 9]))
    strings = st.sampled_from([*CATEGORIES, *CATEGORIES, *UNUSUAL])
    wrong = draw(st.sampled_from([False, False, True]))
    cells = []
    for each in of.features:
        usual: st.SearchStrategy[Any] = (
            st.sampled_from(each.categories or ()) if each.is_string else st.integers(-9, 9) | st.floats(-9, 9)
        )
        usual = usual | st.none() if each.nullable else usual
        cells.append(usual | numbers | strings | st.none() if wrong else usual)
    rows = draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=5))
    if draw(st.booleans()):
        return rows
    order = draw(st.permutations(range(len(of.features))))
    return [{of.features[i].name: row[i] for i in order} for row in rows]


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_what_it_takes_is_what_the_careful_way_takes(data: st.DataObject) -> None:
    of = data.draw(signatures())
    body = data.draw(bodies_of(rows_of(of)))
    try:
        got = decode(body, of)
    except ValueError:
        return
    if got is not None and all(of.outputs.probabilities or not asked for asked in got.options.values()):
        careful = Careful(of).request(body, max_rows=100)
        assert_same(got.rows, careful.rows)
        assert got.options.get("probabilities", False) == careful.probabilities
        if got.rows.codes is not None:
            np.testing.assert_array_equal(got.rows.codes, codes(of, careful.rows))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("rows", [ROWS, named(ROWS), named(ROWS, 2, 0, 1), named(ROWS, 1, 2, 0), ROWS[:1], ROWS * 90])
def test_rows_in_order_are_taken(rows: list[Any], separators: tuple[str, str]) -> None:
    body = sent(rows, separators=separators)
    got = decode(body, max_rows=1000)
    assert got is not None
    careful = Careful(HOUSE).request(body, max_rows=1000).rows
    assert_same(got.rows, careful)
    assert got.rows.codes is not None
    np.testing.assert_array_equal(got.rows.codes, codes(HOUSE, careful))


def test_options_are_read() -> None:
    found = decode(b'{"probabilities": true, "instances": [[3, "Rome", null]], "decision_values": false}')
    assert found is not None
    assert found.options == {"probabilities": True, "decision_values": False}


def test_rows_of_strings_only_and_of_numbers_only_are_taken() -> None:
    strings = decode(b'{"instances": [["Rome"], [null]]}', signature(TOWN))
    assert strings is not None
    assert (strings.rows.numbers.shape, strings.rows.strings.tolist()) == ((2, 0), [["Rome"], [None]])
    numbers = decode(b'{"instances": [{"age": 1}, {"age": null}]}', signature(HOUSE.features[2]))
    assert numbers is not None
    np.testing.assert_array_equal(numbers.rows.numbers, [[1], [np.nan]])
    assert numbers.rows.strings.shape == (2, 0)


@pytest.mark.parametrize(
    "rows",
    [
        '[3, "Rome", 1], [3, "Paris", 1]',
        '[3, "", 1]',
        '["Rome", "Rome", 1]',
        '["Rome", 9e9, 1]',
        "[3, 9e9, 1]",
        '[3, "Rome", 9e9]',
        '[3, "Rome", 9e97], [3, "Rome", null]',
        '[null, "Rome", 1]',
        '[3, "R\\u006fme", 1]',
        '[3, "Rome", true]',
        '[3, "Rome", 1, 1], [3, "Rome"]',
        '[3, "Rome", [1]]',
        '[1"Rome", 9e9, 1]',
        '[3, "Rome"1, 1]',
        '[3, "Rome""Rome", 1]',
        '[3, "Rome", 1null], [3, "Rome", 9e97]',
        '[3, "Rome", nulnull]',
        '{"rooms": 3, "town": "Rome", "age": 1], [3, "Rome", 1]',
        '{"rooms": 3, "town": "Rome", "age": 1}, {"rooms": 3, "age": 1, "town": "Rome"}',
        '{"rooms": 3, "town": "Rome", "age": 1}, {"rooms": 3, "town": "Rome", "ago": 1}',
        '{"rooms": 3, "town": "Rome", "age": 1}, "rooms": {3, "town": "Rome", "age": 1}',
        '{"rooms": 3, "town": "Rome", 1}, "age": {"rooms": 3, "town": "Rome", "age": 1}',
        '{"rooms": 3, "town": "age": "Rome", 1}',
        '{3, "rooms": "town": "Rome", "age": 1}',
        '{"rooms": 3, "town": "Rome", "town": 1}',
        '{"rooms": 3, "town": "Rome", "age": 1, "age": 2}',
        '{"rooms": 3, "town": "Rome", "age": 1]',
        '["rooms": 3, "town": "Rome", "age": 1}',
        '{"rooms": 3, "town": {"town": "Rome", "age": 1}',
        '{"rooms": 3, "town": "Rome"}',
        "{}",
        "",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_others(rows: str) -> None:
    assert decode(b'{"instances": [' + rows.encode() + b"]}") is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [[3, "Rome", 1]], "instances": [[3, "Oslo", 1]]}',
        b'{"instances": [[3, "Rome", 1]], "other": "]"}',
        b'{"other [": 1, "instances": [[3, "Rome", 1]]}',
        b'{"features": [3, "Rome", 1]}',
        b'{"instances": [[3, "Rome", 1]], "probabilities": null}',
        b'\xef\xbb\xbf{"instances": [[3, "Rome", 1]]}',
        b'{"instances": [[3, "Rome\xff", 1]]}',
        b'{"instances": [[3, "Rome\x00", 1]]}',
        b'{"instances": [[3, "Rome, 1]]}',
        b'"instances": [[3, "Rome", 1]]',
        b"][",
        b"",
    ],
)
def test_another_document_is_left_to_others(body: bytes) -> None:
    assert decode(body) is None


def test_more_rows_than_allowed_are_left_to_others() -> None:
    assert decode(sent(ROWS), max_rows=4) is not None
    assert decode(sent(ROWS), max_rows=3) is None
    assert decode(sent(named(ROWS)), max_rows=1) is None


@pytest.mark.parametrize(
    "of",
    [
        feature("a", "bool"),
        feature("a", "string"),
        feature("a", "string", categories=("x" * 63,)),
        feature("a", "string", categories=tuple(f"{i}" for i in range(600))),
    ],
)
def test_some_signatures_are_not_for_it(of: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        BytewiseDecoder(columns_of(signature(of)))


def test_threads_decode_at_the_same_time() -> None:
    shared = BytewiseDecoder(columns_of(HOUSE))

    def work(number: int) -> bool:
        found = shared.decode(sent([[number, "Rome", None]] * 200), max_rows=200)
        return found is not None and bool((found.rows.numbers[:, 0] == number).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(100)))


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.binary().map(lambda noise: b'{"instances": [[3, "Rome", ' + noise + b"]]}"))
def test_noise_is_never_taken_for_what_the_careful_way_refuses(body: bytes) -> None:
    if decode(body) is not None:
        try:
            Careful(HOUSE).request(body, max_rows=100)
        except RequestError as error:
            pytest.fail(str(error))
