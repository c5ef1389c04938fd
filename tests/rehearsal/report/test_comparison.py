"""The drawing for the README stands alone, is small, and says in words what it shows."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from rehearsal.report.comparison import compare
from rehearsal.report.figures import rows
from rehearsal.results import SceneResult
from tests.rehearsal.report.samples import bad_release, killed, promotion, rollout, season

_SVG = "{http://www.w3.org/2000/svg}"


def drawing(*results: SceneResult) -> str:
    drawn = compare(rows(results))
    assert drawn is not None
    return drawn


def told(drawn: str) -> tuple[str, str]:
    """Title and description."""
    root = ElementTree.fromstring(drawn)  # noqa: S314 - what this test itself has made
    title, described = root.find(f"{_SVG}title"), root.find(f"{_SVG}desc")
    assert title is not None
    assert described is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    return title.text or "", described.text or ""


def test_it_is_small_and_well_formed_and_says_what_it_shows() -> None:
    drawn = drawing(*season())
    assert len(drawn.encode()) < 60_000
    title, described = told(drawn)
    failed = sum(each.kind != "answered" for each in rollout(hold=False).outcomes)
    first, second = title.split(" / ")
    assert first == "A new image tag: 16,000 requests, 0 failed"
    assert second == f"A new image tag, without drain hold: 16,000 requests, {failed} failed"
    assert "Task 1 of release 1f0c2d9: starting from 0.0 s, ready from 3.2 s, draining from 30.0 s" in described
    assert "At 45.0 s SIGTERM to task 1." in described


def test_it_asks_for_nothing_and_knows_dark() -> None:
    drawn = drawing(*season())
    assert drawn.count("http") == 1
    assert "<script" not in drawn
    assert "prefers-color-scheme:dark" in drawn


def test_the_drain_hold_is_chosen_wherever_it_stands() -> None:
    assert drawing(*season()) == drawing(*reversed(season()))


def test_another_pair_will_do() -> None:
    assert "Golden answers that differ, without golden check" in drawing(bad_release(), bad_release(golden=False))


@pytest.mark.parametrize("results", [[], [rollout()], [rollout(hold=False)], [promotion(), rollout(hold=False)]])
def test_without_a_pair_there_is_none(results: list[SceneResult]) -> None:
    assert compare(rows(results)) is None


def test_the_order_and_hostile_names_are_in_its_title() -> None:
    name = '</title><script>"&'
    pair = [each._replace(name=name, order="SIGTERM first") for each in (rollout(), rollout(hold=False))]
    drawn = drawing(*pair)
    assert told(drawn)[0].startswith(f"{name}, SIGTERM first: 16,000 requests")
    assert "<script" not in drawn


def test_what_failed_in_the_hands_of_a_killed_task_is_not_left_out() -> None:
    pair = [killed(), killed()._replace(without="least outstanding requests")]
    drawn = drawing(*pair)
    assert told(drawn)[0].count("16,000 requests, 3 failed") == 2
    assert drawn.count('class="large bad"') == 2
