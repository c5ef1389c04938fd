from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import Outputs, Signature
from service.codec import Decoder, Request, decode_instances
from service.codec.decode import BYTEWISE_BYTES
from service.codec.fast import FastDecoder
from service.errors import MalformedError, RequestError, RowsError, TooLargeError
from tests.service.codec.signatures import JSON, bodies, feature, instances, signature, signatures, texts
from tests.service.codec.test_fast import assert_same

FLAT = signature(feature("rooms", "int64"), feature("town", "string"))


def ask(document: Any, *, max_rows: int = 100, of: Any = FLAT) -> Request:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Decoder(of).request(body, max_rows=max_rows)


def problems(document: Any, of: Any = FLAT) -> list[str]:
    with pytest.raises(RowsError) as caught:
        ask(document, of=of)
    return [str(problem) for problem in caught.value.problems]


def test_a_request_is_its_rows_and_what_is_asked_beside_predictions() -> None:
    request = ask({"instances": [[3, "Rome"], {"rooms": 4, "town": "Paris"}], "probabilities": True})
    np.testing.assert_array_equal(request.rows.numbers, [[3], [4]])
    assert request.rows.strings.tolist() == [["Rome"], ["Paris"]]
    assert request[1:] == (True, False, False)
    assert ask({"instances": [[3, "Rome"]], "decision_values": True, "probabilities": False})[1:] == (
        False,
        True,
        False,
    )


@pytest.mark.parametrize("row", [[3, "Rome"], {"town": "Rome", "rooms": 3}])
def test_the_form_of_version_0_2_is_one_row(row: Any) -> None:
    request = ask({"features": row})
    assert request.legacy
    assert request.rows.numbers.tolist() == [[3.0]]
    assert request.rows.strings.tolist() == [["Rome"]]


def test_the_form_of_version_0_2_takes_a_text() -> None:
    assert ask({"features": "hello"}, of=texts()).rows.strings.tolist() == [["hello"]]
    assert ask({"features": ["hello"]}, of=texts()).rows.strings.tolist() == [["hello"]]


def test_problems_in_the_form_of_version_0_2_are_located_under_features() -> None:
    assert problems({"features": ["x", 1]}) == [
        "features.rooms: expected a whole number, got the string 'x'",
        "features.town: expected a string, got 1",
    ]
    assert problems({"features": 3}) == ["features: expected an array of 2 values or an object keyed by feature, got 3"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty; send a JSON object"),
        (b" \n", "the body is empty; send a JSON object"),
        (b"{", "the body is not JSON: "),
        (b'{"instances": [[1, "a"]]}x', "the body is not JSON: unexpected content after document: line 1 column 26"),
        (b"\xff", "the body is not JSON: "),
        (b'"\xff"', "the body is not JSON: "),
        (b'{"instances": [["\\ud800", 1]]}', "the body is not JSON: "),
        (
            b'{"instances": [[1e999, "a"]]}',
            "the body is not JSON: number is infinity when parsed as double: line 1 column 17",
        ),
        (b"[" * 100_000, "the body is not JSON: depth limit exceeded"),
        (b'{"instances":' * 50_000, "the body is not JSON: depth limit exceeded"),
        (b"[]", "expected a JSON object, got an array"),
        (b"null", "expected a JSON object, got null"),
        (b'"abc"', "expected a JSON object, got the string 'abc'"),
    ],
)
def test_what_is_no_json_object_is_malformed(body: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        ask(body)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("literal", [b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"nan"])
def test_nan_is_malformed_and_null_is_offered(literal: bytes) -> None:
    with pytest.raises(MalformedError, match="NaN and Infinity are no JSON values: send null for a missing one"):
        ask(b'{"instances": [[' + literal + b', "a"]]}')


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({}, ["instances: missing: send the rows as an array"]),
        ({"instances": None}, ["instances: expected an array of rows, got null"]),
        ({"instances": {"rooms": 1}}, ["instances: expected an array of rows, got an object"]),
        ({"instances": "abc"}, ["instances: expected an array of rows, got the string 'abc'"]),
        ({"instances": []}, ["instances: expected at least one row"]),
        (
            {"instances": [[1, "a"]], "features": [1, "a"]},
            ["features: send either instances or features, not both"],
        ),
        (
            {"rows": [[1, "a"]]},
            [
                "rows: no such key; allowed are instances, features, probabilities, decision_values",
                "instances: missing: send the rows as an array",
            ],
        ),
        (
            {"instances": [[1, "a"]], "probabilities": "yes", "decision_values": None},
            [
                "probabilities: expected true or false, got the string 'yes'",
                "decision_values: expected true or false, got null",
            ],
        ),
        (
            {"instances": [[1, 2]], "probabilities": 1},
            ["probabilities: expected true or false, got 1", "instances[0].town: expected a string, got 2"],
        ),
    ],
)
def test_wrong_keys_and_options_are_problems_like_wrong_values(document: Any, found: list[str]) -> None:
    assert problems(document) == found


def test_what_the_model_does_not_give_is_refused() -> None:
    regression = signature(feature("rooms"), outputs=Outputs(dtype="float64"))
    assert problems({"instances": [[1]], "probabilities": True, "decision_values": True}, regression) == [
        "probabilities: this model gives no probabilities",
        "decision_values: this model gives no decision values",
    ]
    assert ask({"instances": [[1]], "probabilities": False}, of=regression).probabilities is False


def test_more_rows_than_allowed_are_too_large() -> None:
    assert len(ask({"instances": [[1, "a"]] * 3}, max_rows=3).rows.numbers) == 3
    with pytest.raises(TooLargeError, match="4 rows are more than the 3 that a request may hold"):
        ask({"instances": [[1, "a"]] * 4}, max_rows=3)


def test_the_last_of_repeated_keys_counts() -> None:
    assert ask(b'{"instances": [{"rooms": 1, "town": "a", "rooms": 2}]}').rows.numbers.tolist() == [[2.0]]


def test_parsed_values_are_decoded_as_a_request_is() -> None:
    assert decode_instances([[1, "a"]], FLAT).numbers.tolist() == [[1.0]]
    with pytest.raises(RowsError, match=r"golden\[0\].rooms: expected a whole number, got 1.5"):
        decode_instances([[1.5, "a"]], FLAT, where="golden")
    with pytest.raises(RowsError):
        decode_instances([["\ud800", "a"]], FLAT)


@pytest.mark.parametrize(
    "document",
    [
        {"instances": [[3, "Rome"]]},
        {"instances": [{"town": "Rome", "rooms": 3}] * 4, "probabilities": True},
        {"decision_values": False, "instances": [[3, "Rome"], [2**40, ""]]},
    ],
)
def test_rows_of_one_form_are_in_order(document: Any) -> None:
    plain = Decoder(FLAT).plain_request(json.dumps(document).encode(), max_rows=4)
    assert plain is not None
    assert_same(plain.rows, ask(document).rows)
    assert plain[1:] == ask(document)[1:]


@pytest.mark.parametrize(
    "body",
    [
        b'{"features": [3, "Rome"]}',
        b'{"instances": [[3, "Rome"]], "features": [3, "Rome"]}',
        b'{"instances": [[3, "Rome"], {"town": "Rome", "rooms": 3}]}',
        b'{"instances": [[3, "Rome"]], "other": false}',
        b'{"instances": [[3, "Rome"]], "probabilities": 0}',
        b'{"instances": [[true, "Rome"]]}',
        b'{"instances": [[3, "Rome"], [3, "Rome"], [3, "Rome"], [3, "Rome"], [3, "Rome"]]}',
        b'{"instances": [[3, "Rome", 1]]}',
        b'{"instances": [[3, null]]}',
        b'{"instances": []}',
        b'{"instances": 3}',
        b'{"instances": [[3, "R\xff"]]}',
        b'\xef\xbb\xbf{"instances": [[3, "Rome"]]}',
        b'[[3, "Rome"]]',
        b"{",
        b"",
    ],
)
def test_what_is_not_in_order_is_left_to_be_looked_at(body: bytes) -> None:
    assert Decoder(FLAT).plain_request(body, max_rows=4) is None


TOWN = feature("town", "string", nullable=True, closed=True, categories=("Rome", "Oslo"))
LARGE: list[list[Any]] = [[i, ("Rome", "Oslo", None)[i % 3]] for i in range(5000)]
NAMED = [{"rooms": rooms, "town": town} for rooms, town in LARGE]


@pytest.mark.parametrize(
    ("rows", "of"),
    [
        (LARGE, signature(feature("rooms", "int64"), TOWN)),
        (NAMED, signature(feature("rooms", "int64"), TOWN)),
        (LARGE, signature(feature("rooms"), TOWN.model_copy(update={"categories": ("Rome",), "closed": False}))),
        ([[row[0], None] for row in LARGE], signature(feature("rooms"), feature("age", nullable=True))),
        ([[row[0], 0.5] for row in LARGE], signature(feature("rooms"), feature("age", nullable=True))),
        ([[row[0], True] for row in LARGE], signature(feature("rooms"), feature("garden", "bool"))),
    ],
)
def test_many_rows_are_decoded_as_few_are(rows: list[Any], of: Signature) -> None:
    body = json.dumps({"instances": rows}).encode()
    assert len(body) > BYTEWISE_BYTES
    plain = Decoder(of).plain_request(body, max_rows=5000)
    careful = Careful(of).request(body, max_rows=5000)
    assert plain is not None
    assert_same(plain.rows, careful.rows)
    assert_same(Decoder(of).request(body, max_rows=5000).rows, careful.rows)
    assert Decoder(of).plain_request(body, max_rows=4999) is None


@pytest.mark.parametrize("rows", [LARGE, NAMED])
def test_a_fault_among_many_rows_is_named(rows: list[Any]) -> None:
    of = signature(feature("rooms", "int64"), TOWN.model_copy(update={"categories": ("Rome", "Osl0")}))
    with pytest.raises(RowsError) as caught:
        ask({"instances": rows}, of=of, max_rows=5000)
    assert str(caught.value.problems[0]) == "instances[1].town: expected one of 'Rome', 'Osl0', got 'Oslo'"
    regression = signature(feature("rooms"), TOWN, outputs=Outputs(dtype="float64"))
    with pytest.raises(RowsError, match="this model gives no probabilities"):
        ask({"instances": rows, "probabilities": True}, of=regression, max_rows=5000)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_request_is_decoded_or_refused_whatever_it_holds(data: st.DataObject) -> None:
    of = data.draw(signatures())
    document = data.draw(
        st.one_of(
            st.fixed_dictionaries(
                {"instances": instances(of)}, optional={"probabilities": JSON, "decision_values": JSON}
            ),
            st.fixed_dictionaries({}, optional={"instances": JSON, "features": JSON, "probabilities": JSON, "x": JSON}),
            JSON,
        )
    )
    said = None
    try:
        request = Decoder(of).request(json.dumps(document).encode(), max_rows=4)
    except RequestError as error:
        said = str(error)
    if said is None:
        assert not np.isinf(request.rows.numbers).any()
    else:
        assert said.isprintable()
        assert orjson.dumps(said)


class Careful(Decoder):
    """Decodes all of it cell by cell."""

    def __init__(self, of: Signature) -> None:
        super().__init__(of)
        self._numeric = self._bytewise = None
        self._fast = FastDecoder((), texts=False)  # which knows no row


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_taken_to_be_in_order_is_what_the_careful_way_makes_of_it(data: st.DataObject) -> None:
    of = data.draw(signatures())
    body = data.draw(bodies(of))
    plain = Decoder(of).plain_request(body, max_rows=4)
    if plain is not None:
        careful = Careful(of).request(body, max_rows=4)
        assert plain[1:] == careful[1:]
        assert_same(plain.rows, careful.rows)
        assert plain.rows.codes is None or plain.rows.codes.shape == plain.rows.strings.shape


@settings(max_examples=300, deadline=None)
@given(st.binary() | st.text().map(str.encode) | st.binary().map(lambda noise: b'{"instances": [[' + noise + b"]]}"))
def test_noise_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        Decoder(FLAT).request(body, max_rows=4)
