from __future__ import annotations

import json
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import Rows, Signature
from service.codec.careful import CarefulDecoder, Problems
from service.codec.columns import NumberColumn, columns_of
from service.codec.numeric import NumericDecoder, NumericRequest
from tests.service.codec.signatures import feature, instances, signature, signatures
from tests.service.codec.test_fast import assert_same

TWO = signature(feature("a"), feature("b"))


def decoder(of: Signature) -> NumericDecoder:
    return NumericDecoder([column for column in columns_of(of) if isinstance(column, NumberColumn)])


def decode(body: bytes, of: Signature = TWO, *, max_rows: int = 100) -> NumericRequest | None:
    return decoder(of).decode(body, max_rows=max_rows)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_what_it_takes_is_what_the_careful_decoder_takes(data: st.DataObject) -> None:
    of = data.draw(signatures().filter(lambda s: all(not f.is_string for f in s.features)))
    rows = data.draw(instances(of))
    got = decode(json.dumps({"instances": rows}).encode(), of)
    problems = Problems()
    careful = CarefulDecoder(columns_of(of), texts=False).decode(rows, str, problems)
    if got is not None:
        assert careful is not None, problems.found
        assert_same(Rows(got.numbers, np.empty((len(rows), 0), object)), careful)
    elif careful is not None:
        assert not (rows and all(map(is_ordinary, rows))), "rows of numbers without a fault took a slower path"


def is_ordinary(row: Any) -> bool:
    return isinstance(row, list) and all(
        type(cell) is float or (type(cell) is int and abs(cell) < 2**63) for cell in row
    )


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_every_float64_comes_back_bit_for_bit(bits: int) -> None:
    (number,) = struct.unpack("<d", struct.pack("<Q", bits))
    got = decode(json.dumps({"instances": [[number, 1]]}).encode())
    if np.isfinite(number):
        assert got is not None
        assert got.numbers[0, 0].tobytes() == struct.pack("<d", number)
    else:
        assert got is None


@pytest.mark.parametrize(
    "body",
    [
        '{"instances": [[1, 2], [3]]}',
        '{"instances": [[1], [2, 3, 4]]}',
        '{"instances": [[1, 2, 3], [4]]}',
        '{"instances": [1, 2]}',
        '{"instances": [[1, 2], 3]}',
        '{"instances": [[[1], [2]]]}',
        '{"instances": [[[1, 2]]]}',
        '{"instances": [[1, 2], {"a": 1, "b": 2}]}',
        '{"instances": {"0": [1, 2]}}',
        '{"instances": [[1, "2"]]}',
        '{"instances": [[1, null]]}',
        '{"instances": [[1, true]]}',
        '{"instances": [[1, 1e400]]}',
        '{"instances": [[1, 123456789012345678901234567890]]}',
        '{"instances": [[1, NaN]]}',
        '{"instances": [[1, 02]]}',
        '{"instances": []}',
        '{"instances": [[]]}',
        '{"instances": null}',
        '{"instances": [[1, 2]], "instances": 5}',
        '{"instances": [[1, 2]], "probabilities": true, "probabilities": false}',
        '{"instances": [[1, 2]], "probabilities": 1}',
        '{"instances": [[1, 2]], "other": true}',
        '{"features": [1, 2]}',
        '{"instances": [[1, 2]]} x',
        '\ufeff{"instances": [[1, 2]]}',
        "[[1, 2]]",
        "{",
        "",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_others(body: str) -> None:
    assert decode(body.encode()) is None


def test_bytes_that_are_not_utf_8_are_left_to_others() -> None:
    assert decode(b'{"instances": [[1, 2]], "\xff": true}') is None


def test_more_rows_than_allowed_are_left_to_others() -> None:
    assert decode(b'{"instances": [[1, 2], [3, 4]]}', max_rows=1) is None
    assert decode(b'{"instances": [[1, 2], [3, 4]]}', max_rows=2) is not None


def test_options_are_read_wherever_they_stand() -> None:
    found = decode(b'{"probabilities": true, "instances": [[1, 2]], "decision_values": false}')
    assert found is not None
    assert found.options == {"probabilities": True, "decision_values": False}


def test_a_ragged_row_is_found_among_a_thousand() -> None:
    rows: list[Any] = [[float(i), 1] for i in range(1000)]
    assert decode(json.dumps({"instances": rows}).encode(), max_rows=2000) is not None
    rows[500], rows[501] = [1, 2, 3], [1]
    assert decode(json.dumps({"instances": rows}).encode(), max_rows=2000) is None


def test_a_matrix_outlives_the_next_body() -> None:
    shared = decoder(TWO)
    first = shared.decode(b'{"instances": [[1, 2], [3, 4]]}', max_rows=9)
    second = shared.decode(b'{"instances": [[5, 6], [7, 8]]}', max_rows=9)
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.numbers, [[1, 2], [3, 4]])


def test_a_refused_body_does_not_spoil_the_next() -> None:
    shared = decoder(TWO)
    for body in (b'{"instances": [[1, null]]}', b'{"instances": [[1', b'{"instances": [1]}') * 3:
        assert shared.decode(body, max_rows=9) is None
        found = shared.decode(b'{"instances": [[1, 2]]}', max_rows=9)
        assert found is not None
        np.testing.assert_array_equal(found.numbers, [[1, 2]])


def test_threads_decode_at_the_same_time() -> None:
    shared = decoder(TWO)

    def work(number: int) -> bool:
        rows = [[number, i] for i in range(200)]
        found = shared.decode(json.dumps({"instances": rows}).encode(), max_rows=200)
        return found is not None and bool((found.numbers == np.array(rows)).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(200)))
