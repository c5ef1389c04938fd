"""A scene's picture, and the same in words."""

from __future__ import annotations

import re

from rehearsal.report.axes import axes_of
from rehearsal.report.figures import rows
from rehearsal.report.picture import described, picture, versions
from rehearsal.results import SceneResult
from tests.rehearsal.report.samples import killed, promotion, rollout


def drawn(scene: SceneResult) -> str:
    return picture(rows([scene])[0], axes_of([scene]), name="x")


def test_the_band_of_versions_is_there_where_they_change() -> None:
    assert versions(promotion()) == ["1", "2"]
    assert "model version" in drawn(promotion())
    assert "model version" not in drawn(rollout())


def test_each_task_and_each_moment_is_drawn() -> None:
    svg = drawn(rollout())
    assert re.findall(r">task (\d) · (\w+)<", svg) == [
        ("1", "1f0c2d9"),
        ("2", "1f0c2d9"),
        ("3", "8be41a7"),
        ("4", "8be41a7"),
    ]
    assert svg.count("<circle") == len(rollout().moments)


def test_the_words_say_the_same() -> None:
    said = described(rows([killed()])[0])
    assert said.startswith("16,000 requests, failed: 3 ")
    assert "Task 1 of release 1f0c2d9: starting from 0.0 s, ready from 3.0 s, stopped from 40.0 s." in said
    assert said.endswith("At 40.0 s SIGKILL to task 1.")


def test_its_ids_are_its_own() -> None:
    assert re.findall(r' id="([^"]+)"', drawn(rollout())) == ["x-title", "x-told"]
