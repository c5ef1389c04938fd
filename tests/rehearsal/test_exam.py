"""Whether an answer is the estimator's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.exam import TOLERANCE, Exam, Solution

BODY = b'{"instances":[[1.0],[2.0]],"probabilities":true}'
EXAM = Exam(
    "house",
    ["new", "old"],
    [BODY],
    [
        {
            "1": Solution(["new", "old"], [[0.75, 0.25], [0.125, 0.875]]),
            "2": Solution(["new", "new"], [[0.8, 0.2], [0.6, 0.4]]),
        }
    ],
)


def answer(version: str = "1", **changed: Any) -> bytes:
    solution = EXAM.solutions[0][version]._asdict()
    told = {**solution, "classes": ["new", "old"], "model": {"name": "house", "version": version}}
    return json.dumps({**told, **changed}).encode()


@pytest.mark.parametrize("version", ["1", "2"])
def test_the_estimators_answer_is_right_for_the_version_that_it_names(version: str) -> None:
    assert EXAM.check(0, answer(version)) == (version, None)
    assert EXAM.check(0, answer(version)) == (version, None)


def test_the_last_digits_are_the_engines() -> None:
    near = [[0.75 + TOLERANCE / 2, 0.25], [0.125, 0.875]]
    assert EXAM.check(0, answer(probabilities=near)) == ("1", None)


@pytest.mark.parametrize(
    ("wrong", "version", "fault"),
    [
        (answer(predictions=["new", "new"]), "1", "other labels"),
        (answer(predictions=["new"]), "1", "other labels"),
        (answer(classes=["old", "new"]), "1", "other labels"),
        (answer(probabilities=[[0.8, 0.2], [0.6, 0.4]]), "1", "other probabilities"),
        (answer(probabilities=[[0.75, 0.25]]), "1", "other probabilities"),
        (answer(probabilities=[[None, 0.25], [0.125, 0.875]]), "1", "other probabilities"),
        (answer(model={"name": "house", "version": "2"}), "2", "other labels"),
        (answer(model={"name": "house", "version": "9"}), "9", "which nobody published"),
        (answer(model={"name": "boat", "version": "1"}), "1", "which nobody published"),
        (answer(model=None), None, "no answer to a prediction"),
        (b'{"status":503}', None, "no answer to a prediction"),
        (b"[1]", None, "no answer to a prediction"),
        (answer()[:-1], None, "no answer to a prediction"),
        (b"", None, "no answer to a prediction"),
    ],
)
def test_any_other_answer_is_wrong_each_time(wrong: bytes, version: str | None, fault: str) -> None:
    for _ in range(2):
        named, found = EXAM.check(0, wrong)
        assert named == version
        assert found is not None
        assert fault in found


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    EXAM.write(tmp_path)
    read = Exam.read(tmp_path)
    assert (read.name, read.classes, read.bodies, read.rows) == ("house", ["new", "old"], [BODY], [2])
    assert read.solutions == EXAM.solutions
    assert read.check(0, answer("2")) == ("2", None)
