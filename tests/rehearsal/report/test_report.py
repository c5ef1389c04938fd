"""Where a report is written, and what it says of a run as a whole."""

from __future__ import annotations

from pathlib import Path

from rehearsal.report import all_held, keep, write_page
from tests.rehearsal.report.samples import killed, rollout, season


def test_the_page_makes_its_folder_and_the_table_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "dist" / "rehearsal.html"
    assert "0 of 64,000 requests lost in 4 scenes" in write_page(season(), path)
    assert path.read_text().startswith("<!doctype html>")
    assert [each.name for each in tmp_path.rglob("*")] == ["dist", "rehearsal.html"]


def test_table_and_drawing_are_kept(tmp_path: Path) -> None:
    keep(season(), tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["RESULTS.md", "results.svg"]
    assert "](results.svg)" in (tmp_path / "RESULTS.md").read_text()


def test_without_a_pair_there_is_no_drawing(tmp_path: Path) -> None:
    keep([rollout()], tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["RESULTS.md"]


def test_a_season_holds_if_its_protected_scenes_do() -> None:
    assert all_held(season())
    assert all_held([killed()])
    assert not all_held([rollout()._replace(found="rolled back")])
    assert not all_held([rollout(hold=False)._replace(without=None), killed()])


def test_an_absence_that_costs_nothing_fails_no_run() -> None:
    assert all_held([rollout(), rollout()._replace(without="drain hold")])


def test_where_nothing_protected_was_played_nothing_held() -> None:
    assert not all_held([])
    assert not all_held([rollout(hold=False)])
    assert not all_held([rollout()._replace(outcomes=[])])
