from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator

from service.bundle import Outputs
from service.codec import decode_instances
from service.errors import RowsError
from service.schemas import decision_schema, prediction_schema, probabilities_schema, row_schemas
from tests.service.codec.signatures import feature, instances, signature, signatures, texts


def valid(schema: Any, value: Any) -> bool:
    return bool(OAS31Validator(schema).is_valid(value))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_row_that_the_schema_takes_is_a_row_that_the_service_takes(data: st.DataObject) -> None:
    of = data.draw(signatures())
    forms = {"anyOf": list(row_schemas(of).values())}
    for row in data.draw(instances(of)):
        row = json.loads(json.dumps(row))
        taken = True
        try:
            decode_instances([row], of)
        except RowsError:
            taken = False
        if valid(forms, row):
            assert taken or holds_a_number_that_no_float_is(row), row
        else:
            assert not taken or holds_a_number_for_a_boolean(row), row


def holds_a_number_that_no_float_is(row: Any) -> bool:
    """JSON Schema has no word for the range of a dtype."""
    cells = row.values() if isinstance(row, dict) else row
    return any(isinstance(cell, int | float) and abs(cell) > 2**31 for cell in cells)


def holds_a_number_for_a_boolean(row: Any) -> bool:
    """The service also takes 0 and 1 for a boolean, which the schema keeps to itself."""
    cells = row.values() if isinstance(row, dict) else row
    return any(not isinstance(cell, bool) and cell in (0, 1) for cell in cells)


def test_the_forms_of_a_row_are_typed_by_feature() -> None:
    of = signature(
        feature("rooms", "int64", accepts_min=0.0, accepts_max=9.0, seen_min=1.0, seen_max=4.0),
        feature("area", nullable=True),
        feature("garden", "bool"),
        feature("town", "string", categories=("Rome", "Oslo")),
        feature("state", "string", nullable=True, categories=("new", "old"), closed=True),
    )
    forms = row_schemas(of)
    assert forms["RowArray"]["prefixItems"] == [
        {
            "title": "rooms",
            "type": "integer",
            "minimum": 0.0,
            "maximum": 9.0,
            "description": "From 1 to 4 in the sample rows.",
        },
        {"title": "area", "type": ["number", "null"]},
        {"title": "garden", "type": "boolean"},
        {"title": "town", "type": "string", "examples": ["Rome", "Oslo"]},
        {"title": "state", "type": ["string", "null"], "enum": ["new", "old", None]},
    ]
    assert list(forms["RowObject"]["properties"]) == ["rooms", "area", "garden", "town", "state"]
    assert list(forms) == ["RowArray", "RowObject"]


def test_a_text_may_stand_alone() -> None:
    forms = row_schemas(texts())
    assert valid(forms["RowText"], "hello")
    assert valid(forms["RowArray"], ["hello"])
    assert valid(forms["RowObject"], {"text": "hello"})


@pytest.mark.parametrize(
    ("outputs", "right", "wrong"),
    [
        (Outputs(dtype="float64"), [1.5, 2, None], ["a", True, [1.5]]),
        (Outputs(dtype="int64"), [-1, 1], [0.5, None]),
        (Outputs(dtype="string", classes=("no", "yes")), ["no"], ["maybe", None]),
        (Outputs(dtype="bool", classes=(False, True)), [True], [2, "true"]),
        (Outputs(dtype="float64", width=2), [[1.5, 2.5]], [[1.5], 1.5, [1.5, 2.5, 3.5]]),
        (Outputs(dtype="int64", width=3, classes=("a", "b", "c")), [[0, 1, 1]], [["a", "b", "c"]]),
        (
            Outputs(dtype="int64", width=2, classes_by_output=((0, 1), (7, 8, 9))),
            [[0, 9]],
            [[9, 0], [0], [0, 7, 1]],
        ),
    ],
)
def test_a_prediction_is_typed_by_the_outputs(outputs: Outputs, right: list[Any], wrong: list[Any]) -> None:
    schema = prediction_schema(outputs)
    assert [valid(schema, value) for value in right] == [True] * len(right)
    assert [valid(schema, value) for value in wrong] == [False] * len(wrong)


def test_probabilities_have_one_number_a_class() -> None:
    schema = probabilities_schema(Outputs(dtype="int64", classes=(0, 1, 2), probabilities=True))
    assert valid(schema, [0.2, 0.3, 0.5])
    assert not valid(schema, [0.5, 0.5])
    schema = probabilities_schema(Outputs(dtype="int64", width=2, classes_by_output=((0, 1), (0, 1, 2))))
    assert valid(schema, [[0.5, 0.5], [0.2, 0.3, 0.5]])
    assert not valid(schema, [[0.2, 0.3, 0.5], [0.5, 0.5]])


def test_decision_values_are_one_number_or_as_many_as_there_are() -> None:
    assert valid(decision_schema(Outputs(dtype="int64", decision_width=0)), -1.5)
    schema = decision_schema(Outputs(dtype="int64", decision_width=2))
    assert valid(schema, [1.0, 2.0])
    assert not valid(schema, [1.0])
    assert not valid(schema, 1.0)
