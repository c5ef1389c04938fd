from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.bundle import Rows, Signature
from service.codec.careful import PROBLEMS_LIMIT, CarefulDecoder, Problems
from service.codec.columns import columns_of
from service.errors import RowsError
from tests.service.codec.signatures import feature, signature, texts

HOUSE = signature(feature("rooms", "int64"), feature("town", "string", nullable=True), feature("garden", "bool"))


def decode(instances: list[Any], of: Signature = HOUSE) -> Rows:
    problems = Problems()
    decoder = CarefulDecoder(columns_of(of), texts=of.container == "texts")
    return problems.settle(decoder.decode(instances, lambda index: f"instances[{index}]", problems))


def problems(instances: list[Any], of: Signature = HOUSE) -> list[str]:
    with pytest.raises(RowsError) as caught:
        decode(instances, of)
    return [str(problem) for problem in caught.value.problems]


def test_arrays_and_objects_may_be_mixed() -> None:
    rows = decode([[3, "Rome", True], {"garden": False, "rooms": 4, "town": None}])
    np.testing.assert_array_equal(rows.numbers, [[3.0, 1.0], [4.0, 0.0]])
    assert rows.strings.tolist() == [["Rome"], [None]]
    assert (rows.numbers.dtype.name, rows.strings.dtype.name) == ("float64", "object")


def test_every_problem_is_named_by_row_and_feature() -> None:
    assert problems([[3, "Rome", True], ["many", 7, None]]) == [
        "instances[1].rooms: expected a whole number, got the string 'many'",
        "instances[1].town: expected a string, got 7",
        "instances[1].garden: expected true or false, got null",
    ]


def test_a_missing_key_is_named_and_null_is_offered_where_it_is_taken() -> None:
    assert problems([{}]) == [
        "instances[0].rooms: missing",
        "instances[0].town: missing: send null if unknown",
        "instances[0].garden: missing",
    ]


def test_an_unknown_key_is_named_with_the_nearest_feature() -> None:
    assert problems([{"rooms": 1, "twon": "Rome", "garden": True, "zzz": 0}]) == [
        "instances[0].twon: no such feature; did you mean 'town'?",
        "instances[0].zzz: no such feature",
        "instances[0].town: missing: send null if unknown",
    ]


def test_an_unknown_key_is_shortened_and_stays_on_one_line() -> None:
    (first, *_) = problems([{"\n" * 10_000: 1}])
    assert len(first) < 100
    assert "\n" not in first


def test_a_row_of_another_length_or_kind_is_a_problem_of_the_row() -> None:
    assert problems([[1, "a"], 7, "abc", None, []]) == [
        "instances[0]: expected 3 values, got 2",
        "instances[1]: expected an array of 3 values or an object keyed by feature, got 7",
        "instances[2]: expected an array of 3 values or an object keyed by feature, got the string 'abc'",
        "instances[3]: expected an array of 3 values or an object keyed by feature, got null",
        "instances[4]: expected 3 values, got 0",
    ]


def test_no_more_problems_are_listed_than_the_bound_and_the_rest_is_told() -> None:
    with pytest.raises(RowsError) as caught:
        decode([["x", "y", "z"]] * 1000)
    assert len(caught.value.problems) == PROBLEMS_LIMIT
    assert caught.value.more
    with pytest.raises(RowsError) as caught:
        decode([[1, 2, True]] * PROBLEMS_LIMIT)
    assert len(caught.value.problems) == PROBLEMS_LIMIT
    assert not caught.value.more


def test_an_object_with_a_million_wrong_keys_is_not_read_to_its_end() -> None:
    class Counted(dict[str, int]):
        seen = 0

        def __iter__(self) -> Any:
            for key in super().__iter__():
                self.seen += 1
                yield key

    row = Counted({f"k{i}": i for i in range(10_000)})
    with pytest.raises(RowsError):
        decode([row])
    assert row.seen == PROBLEMS_LIMIT + 2


def test_a_text_may_stand_alone_in_an_array_or_under_its_name() -> None:
    rows = decode(["one", ["two"], {"text": "three"}], texts())
    assert rows.strings.tolist() == [["one"], ["two"], ["three"]]
    assert rows.numbers.shape == (3, 0)


def test_a_problem_of_a_text_is_located_where_the_text_stands() -> None:
    assert problems([7, [7], {"text": 7}, None], texts()) == [
        "instances[0]: expected a string, got 7",
        "instances[1].text: expected a string, got 7",
        "instances[2].text: expected a string, got 7",
        "instances[3]: expected a string, got null",
    ]


def test_rows_of_strings_only_keep_their_shape() -> None:
    rows = decode([["a", "b"]], signature(feature("a", "string"), feature("b", "string")))
    assert (rows.numbers.shape, rows.strings.tolist()) == ((1, 0), [["a", "b"]])
