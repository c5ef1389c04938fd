"""A scene's result goes to JSON and comes back."""

from __future__ import annotations

import json

import pytest

from rehearsal.outcomes import Outcome
from rehearsal.results import SceneResult, read_result, write_result
from rehearsal.timeline import Life, Moment, Timeline


def _scene(outcomes: list[Outcome]) -> SceneResult:
    clock = iter([10.0, 10.0, 12.5, 13.25]).__next__
    timeline = Timeline(clock)
    timeline.enter("1", "v1", "starting")
    timeline.enter("1", "v1", "ready")
    timeline.mark("new task definition")
    return SceneResult(
        name="a new image tag",
        question="Is any request lost while tasks are replaced?",
        without="drain hold",
        setting="ALPHARD_DRAIN_HOLD_SECONDS 15 -> 0",
        order="drain first",
        rate=200,
        timeline=timeline.document(),
        outcomes=outcomes,
        allowed_to_fail=0,
        expected="deployed",
        found="deployed",
        seconds=80,
        harmed=True,
    )


_OUTCOMES = [
    Outcome(0.005, 0.001234, "answered", 200, 32, kept_alive=True, version="1"),
    Outcome(0.01, 0.5, "refused", 503, 1, kept_alive=False, version=None, detail="draining, “ö”"),
    Outcome(0.015, 10.0, "late", None, 1, kept_alive=False, version=None),
]


def test_a_result_reads_back_as_it_was() -> None:
    scene = _scene(_OUTCOMES)
    back = read_result(write_result(scene))
    assert back.outcomes == _OUTCOMES
    assert back.harmed
    assert back.lives == scene.lives == [Life("1", "v1", [(0.0, "starting"), (2.5, "ready")])]
    assert back.moments == scene.moments == [Moment(3.25, "new task definition")]
    assert write_result(back) == write_result(scene)


def test_a_scene_without_requests_reads_back_too() -> None:
    assert read_result(write_result(_scene([]))).outcomes == []


def test_times_are_written_to_the_microsecond() -> None:
    written = write_result(_scene([_OUTCOMES[0]._replace(latency_seconds=1 / 3)]))
    assert read_result(written).outcomes[0].latency_seconds == 0.333333


def test_columns_of_unequal_length_are_refused() -> None:
    document = json.loads(write_result(_scene(_OUTCOMES)))
    del document["outcomes"]["rows"][0]
    with pytest.raises(ValueError, match="zip"):
        read_result(json.dumps(document))
