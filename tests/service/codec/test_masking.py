from __future__ import annotations

import json

import numpy as np
import pytest

from service.codec.masking import NULL_VALUE, STRING_VALUE, MaskedBody
from service.codec.named import Strings


def masked(body: bytes) -> MaskedBody:
    return MaskedBody(np.frombuffer(body + b" " * 8, np.uint8), body.find(b"["), body.rfind(b"]"))


def strings(body: bytes) -> Strings:
    quotes = np.flatnonzero(np.frombuffer(body, np.uint8) == ord('"'))
    return Strings(quotes[::2], quotes[1::2] + 1)


@pytest.mark.parametrize(
    "values", [["a"], ["ab", "a"], ["abc", "é"], ["x" * 5, "x" * 6], ["x" * 7, "x" * 30], ["[", "n"]]
)
def test_strings_become_numbers_and_the_length_stays(values: list[str]) -> None:
    body = json.dumps([[1.5, *values, 2], [1.5, *values, 2]], separators=(",", ":"), ensure_ascii=False).encode()
    mask = masked(body)
    assert mask.mask_strings(strings(body))
    got = mask.to_bytes(len(body))
    assert len(got) == len(body)
    assert json.loads(got) == [[1.5, *[STRING_VALUE] * len(values), 2]] * 2


def test_an_empty_string_has_no_room_for_a_number() -> None:
    assert not masked(b'[["",1]]').mask_strings(strings(b'[["",1]]'))


@pytest.mark.parametrize("body", [b'[[1"abc"]]', b'[["abc"1]]', b'[["abc""abc"]]', b'[[-"abc"]]', b'[["abc".5]]'])
def test_a_string_beside_anything_is_refused(body: bytes) -> None:
    assert not masked(body).mask_strings(strings(body))


def test_nulls_become_numbers_and_are_counted() -> None:
    body = b"[[null,1],[2, null ],[3,4]]"
    mask = masked(body)
    assert mask.mask_nulls() == 2
    assert json.loads(mask.to_bytes(len(body))) == [[NULL_VALUE, 1], [2, NULL_VALUE], [3, 4]]
    assert masked(b"[[1,2]]").mask_nulls() == 0


@pytest.mark.parametrize(
    "body", [b"[[nul]]", b"[[n]]", b"[[nullnull]]", b"[[1null]]", b"[[null1]]", b"[[nan]]", b"[[-null]]"]
)
def test_what_only_looks_like_a_null_is_refused(body: bytes) -> None:
    assert masked(body).mask_nulls() is None


def test_rows_by_name_become_arrays() -> None:
    body = b'[{"a":1,"a longer name":2},{"a": 3, "a longer name": 4}]'
    mask = masked(body)
    assert mask.mask_names(strings(body))
    assert json.loads(mask.to_bytes(len(body))) == [[1, 2], [3, 4]]


@pytest.mark.parametrize("body", [b'[{"a":1]]', b'[{"a":[1]}]', b'[["a":1}]'])
def test_brackets_among_rows_by_name_are_refused(body: bytes) -> None:
    assert not masked(body).mask_names(strings(body))
