from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.bundle import Answers, Outputs
from service.codec import encode_answers, plain
from tests.service.manifests import manifest

STRINGS = Outputs(dtype="string", classes=("no", "yes"), probabilities=True)


def encoded(answers: Answers, outputs: Outputs = STRINGS, *, legacy: bool = False) -> dict[str, Any]:
    body = encode_answers(answers, manifest(outputs=outputs), legacy=legacy)
    document: dict[str, Any] = json.loads(body, parse_constant=lambda name: pytest.fail(f"{name} was written"))
    return document


def test_predictions_come_with_the_model_that_made_them() -> None:
    assert encoded(Answers(np.array([1.5, 2.0]))) == {
        "predictions": [1.5, 2.0],
        "model": {"name": "house", "version": "7"},
    }


def test_probabilities_come_row_by_row_with_their_classes() -> None:
    answers = Answers(np.array(["yes", "no"], object), np.array([[0.25, 0.75], [0.5, 0.5]]))
    document = encoded(answers)
    assert document["predictions"] == ["yes", "no"]
    assert document["probabilities"] == [[0.25, 0.75], [0.5, 0.5]]
    assert document["classes"] == ["no", "yes"]


def test_probabilities_of_many_outputs_come_row_by_row_too() -> None:
    outputs = Outputs(dtype="int64", width=2, classes_by_output=((0, 1), (0, 1, 2)), probabilities=True)
    first, second = np.array([[0.25, 0.75], [1.0, 0.0]]), np.array([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])
    document = encoded(Answers(np.array([[1, 0], [0, 2]]), (first, second)), outputs)
    assert document["predictions"] == [[1, 0], [0, 2]]
    assert document["probabilities"] == [[[0.25, 0.75], [0.5, 0.25, 0.25]], [[1.0, 0.0], [0.0, 0.0, 1.0]]]
    assert document["classes"] == [[0, 1], [0, 1, 2]]


def test_decision_values_come_as_they_are() -> None:
    assert encoded(Answers(np.array([1]), None, np.array([[-1.5, 2.5]])))["decision_values"] == [[-1.5, 2.5]]


def test_the_form_of_version_0_2_answers_one_row() -> None:
    assert encoded(Answers(np.array([1.5])), legacy=True) == {"prediction": 1.5}
    assert encoded(Answers(np.array(["yes"], object)), legacy=True) == {"prediction": "yes"}
    assert encoded(Answers(np.array([[1, 2]])), legacy=True) == {"prediction": [1, 2]}
    assert encoded(Answers(np.array([np.nan])), legacy=True) == {"prediction": None}
    assert encoded(Answers(np.array([True]), np.array([[0.25, 0.75]]), np.array([0.5])), legacy=True) == {
        "prediction": True,
        "probabilities": [0.25, 0.75],
        "decision_values": 0.5,
        "classes": ["no", "yes"],
    }


ARRAYS: list[tuple[NDArray[Any], list[Any]]] = [
    (np.array([1.5, np.nan, np.inf, -np.inf]), [1.5, None, None, None]),
    (np.array([0.1], np.float32), [0.10000000149011612]),
    (np.array([0.5], np.float16), [0.5]),
    (np.array([1.5], ">f8"), [1.5]),
    (np.arange(6.0).reshape(2, 3).T, [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]),
    (np.array([1, -2], np.int64), [1, -2]),
    (np.array([1, 2], np.uint8), [1, 2]),
    (np.arange(4).reshape(2, 2)[:, ::-1], [[1, 0], [3, 2]]),
    (np.array([True, False]), [True, False]),
    (np.array(["a", "é"]), ["a", "é"]),
    (np.array(["a", 1, True, 2.5, None], object), ["a", 1, True, 2.5, None]),
    (
        np.array([np.str_("a"), np.int64(1), np.True_, np.float64("nan"), float("inf")], object),
        ["a", 1, True, None, None],
    ),
    (np.array([["a", "b"]], object), [["a", "b"]]),
    (np.zeros((0,)), []),
]


@pytest.mark.parametrize(("array", "expected"), ARRAYS)
def test_an_array_becomes_values_by_its_dtype(array: NDArray[Any], expected: list[Any]) -> None:
    def typed(value: Any) -> Any:
        return [*map(typed, value)] if isinstance(value, list) else (type(value), value)

    assert typed(plain(array)) == typed(expected)
    assert typed(encoded(Answers(array))["predictions"]) == typed(expected)
