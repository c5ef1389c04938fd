"""The table as text and as Markdown, and what is said beside it."""

from __future__ import annotations

import re

from rehearsal.report.figures import Row, Totals, rows
from rehearsal.report.table import HEAD, cells, comparisons, failed, findings, heading, headline, markdown, text, title
from tests.rehearsal.report.samples import bad_release, killed, promotion, rollout, season


def cell(row: Row, column: str) -> str:
    return cells(row)[HEAD.index(column)]


def test_a_line_for_each_scene_in_columns() -> None:
    lines = text(rows(season())).splitlines()
    assert len(lines) > len(season()) + 2
    assert lines[0].split("  ")[0] == "scene"
    assert set(lines[1]) == {"-", " "}
    column = lines[0].index("outcome")
    assert [line[column:].split("  ")[0] for line in lines[2:8]].count("deployed") == 5
    assert all(line == line.rstrip() for line in lines)


def test_cells_say_what_failed_and_how() -> None:
    (row,) = rows([killed()])
    assert cell(row, "requests") == "16,000"
    assert cell(row, "ready") == "1"
    assert cell(row, "verdict") == "held, 3 in hand"
    assert re.fullmatch(r"3 \(\d refused, \d cut\)|3 (refused|cut)", cell(row, "failed"))


def test_one_kind_of_failure_is_counted_once() -> None:
    (row,) = rows([bad_release(golden=False)])
    assert failed(row.figures) == f"{row.figures.failures:,} wrong"
    assert failed(rows([rollout()])[0].figures) == "0"


def test_the_order_is_in_the_name_where_it_is_not_the_documented_one() -> None:
    first = rollout(hold=False)._replace(order="SIGTERM first")
    assert [title(row) for row in rows([rollout(), first])] == ["a new image tag", "a new image tag, SIGTERM first"]
    assert heading(rows([first])[0]) == "A new image tag, SIGTERM first, without drain hold"


def test_an_end_that_was_not_expected_stands_beside_the_expected_one() -> None:
    (row,) = rows([rollout()._replace(expected="rolled back")])
    assert cell(row, "outcome") == "deployed, not rolled back"
    assert findings([row])[-1] == "Did not hold: a new image tag (ended otherwise)."


def test_latencies_are_missing_where_nothing_was_answered() -> None:
    (row,) = rows([rollout()._replace(outcomes=[])])
    assert [cell(row, column) for column in ("p50", "p99", "max ms")] == ["-"] * 3


def test_the_headline_says_what_was_lost() -> None:
    assert headline(Totals(17, 321_173, 0, 21, 287_431, 0)) == "0 of 321,173 requests lost in 17 scenes"
    one = headline(Totals(1, 9, 2, 0, 9, 1))
    assert one == "2 of 9 requests lost in 1 scene, 1 ended otherwise than expected"


def test_that_nothing_was_lost_bounds_the_rate_by_scenes_in_which_no_task_was_killed() -> None:
    bound, in_hand = findings(rows([rollout(), promotion(), killed()]))
    assert "None of 32,000 requests was lost" in bound
    assert "with 95% confidence fewer than one in 10,666 is (3/n)" in bound
    assert in_hand.startswith(
        "Besides, 3 requests failed with tasks that were killed or frozen: in their hands, or sent"
    )


def test_where_a_request_was_lost_nothing_is_bounded() -> None:
    lossy = rollout(hold=False)._replace(without=None)
    lost = sum(each.kind != "answered" for each in lossy.outcomes)
    said, did_not_hold = findings(rows([lossy]))
    assert said == f"With all protections on, {lost} of 16,000 requests were lost."
    assert did_not_hold == f"Did not hold: a new image tag (lost {lost})."


def test_too_few_requests_bound_nothing() -> None:
    few = rollout()._replace(outcomes=rollout().outcomes[:2])
    assert findings(rows([few]))[0].startswith("Too few requests were sent")
    assert findings(rows([killed()]))[0].endswith(": 0.")


def test_an_absence_that_costs_something_is_compared() -> None:
    (said,) = comparisons(rows([rollout(), rollout(hold=False)]))
    assert said.startswith("Without drain hold (ALPHARD_DRAIN_HOLD_SECONDS 15 -> 0), “a new image tag”: costs ")
    assert " against 0; p99 " in said


def test_an_absence_that_costs_nothing_is_said_plainly() -> None:
    free = rollout()._replace(without="drain hold")
    (said,) = comparisons(rows([rollout(), free]))
    assert ": costs nothing, so here it is not needed or not tested. Failed: 0 against 0;" in said


def test_an_absence_alone_is_said_to_be_alone() -> None:
    (said,) = comparisons(rows([rollout(hold=False)]))
    assert said.endswith(": nothing to compare with.")


def test_markdown_has_a_row_for_each_scene_and_shows_the_picture() -> None:
    page = markdown(rows(season()), "results.svg")
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(season())
    assert {line.count(" | ") for line in table} == {len(HEAD) - 1}
    assert "](results.svg)" in page
    assert "![" not in markdown(rows(season()), None)


def test_markdown_takes_a_hostile_name_as_text() -> None:
    name = "a | b\n# [c](http://x) <script> `d` *e*"
    line = next(each for each in markdown(rows([rollout()._replace(name=name)]), None).splitlines() if "script" in each)
    assert line.startswith("| a \\| b # \\[c\\](http://x) \\<script> \\`d\\` \\*e\\* |")
