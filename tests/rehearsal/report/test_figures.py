"""Figures of small scenes made by hand, each exact."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.outcomes import Kind, Outcome
from rehearsal.report.figures import COSTS_NOTHING, Row, costs, fewest_ready, measure, percentile, rows, total, verdict
from rehearsal.results import SceneResult
from tests.rehearsal.report.samples import scene, task


def outcome(at: float, kind: Kind = "answered", milliseconds: float = 1) -> Outcome:
    return Outcome(at, milliseconds / 1000, kind, 200 if kind == "answered" else None, 1, kept_alive=True, version="1")


def small(*outcomes: Outcome, name: str = "small", without: str | None = None, **fields: Any) -> SceneResult:
    return scene(name=name, timeline={"tasks": [], "moments": []}, outcomes=outcomes, without=without)._replace(
        **fields
    )


def row(result: SceneResult, *others: SceneResult) -> Row:
    """That of the first."""
    return next(each for each in rows([result, *others]) if each.scene is result)


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (99.5, 100), (100, 100), (0, 1)])
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(percent: float, value: float) -> None:
    assert percentile(range(1, 101), percent) == value


def test_the_only_value_is_every_percentile() -> None:
    assert [percentile([7.0], percent) for percent in (0, 50, 99, 100)] == [7.0] * 4


def test_latencies_are_of_the_answered_and_failures_are_counted_by_kind() -> None:
    failed = [outcome(1, "late", 30_000), outcome(1, "cut", 5), outcome(1, "cut", 5)]
    figures = measure(small(*(outcome(1, milliseconds=each) for each in range(1, 101)), *failed))
    assert figures.requests == 103
    assert figures.failed == {"refused": 0, "cut": 2, "late": 1, "wrong": 0}
    assert figures.failures == 3
    assert figures.latencies == (50, 99, 100)


def test_without_an_answer_there_is_no_latency() -> None:
    assert measure(small(outcome(1, "cut"))).latencies is None


def test_the_fewest_ready_are_those_amid_the_traffic() -> None:
    """Before the first request and after the last, nobody misses a task."""
    tasks = [
        task("1", "old", [[0, "starting"], [2, "ready"], [10, "draining"], [20, "stopped"]]),
        task("2", "old", [[0, "starting"], [2, "ready"], [12, "draining"], [20, "stopped"]]),
        task("3", "new", [[5, "starting"], [11, "ready"], [31, "stopped"]]),
    ]
    result = small(outcome(4), outcome(30), timeline={"tasks": tasks, "moments": []})
    assert fewest_ready(result) == 1
    assert fewest_ready(result._replace(outcomes=[outcome(4), outcome(9)])) == 2
    assert fewest_ready(result._replace(outcomes=[outcome(4), outcome(32)])) == 0
    assert fewest_ready(result._replace(outcomes=[])) == 0


def test_tasks_that_take_over_in_the_same_moment_leave_no_gap() -> None:
    tasks = [task("1", "old", [[0, "ready"], [5, "draining"]]), task("2", "new", [[5, "ready"]])]
    assert fewest_ready(small(outcome(1), outcome(9), timeline={"tasks": tasks, "moments": []})) == 1


def test_what_was_in_the_hands_of_a_task_that_was_killed_is_not_lost() -> None:
    result = small(outcome(1), outcome(2, "cut"), outcome(3, "cut"), allowed_to_fail=2, harmed=True)
    assert (row(result).lost, row(result).held, verdict(row(result))) == (0, True, "held, 2 in hand")
    more = result._replace(allowed_to_fail=1)
    assert (row(more).lost, row(more).held, verdict(row(more))) == (1, False, "lost 1")


def test_a_scene_says_that_a_task_was_killed_also_if_nothing_was_in_its_hands() -> None:
    assert verdict(row(small(outcome(1), harmed=True))) == "held, 0 in hand"


def test_a_scene_that_ends_otherwise_or_without_traffic_did_not_hold() -> None:
    otherwise = row(small(outcome(1), expected="rolled back", found="completed"))
    assert (otherwise.held, verdict(otherwise)) == (False, "ended otherwise")
    assert (row(small()).held, verdict(row(small()))) == (False, "nothing was sent")


def test_rows_with_all_protections_come_first_and_lie_beside_those_without() -> None:
    exposed, protected = small(outcome(1), without="drain hold"), small(outcome(1))
    other_order = protected._replace(order="SIGTERM first")
    table = rows([exposed, other_order, protected])
    assert [each.scene for each in table] == [other_order, protected, exposed]
    assert [each.beside and each.beside.scene for each in table] == [None, None, protected]


def test_an_absence_costs_requests_ready_tasks_and_the_end() -> None:
    tasks = [task("1", "old", [[0, "ready"]])]
    protected = small(outcome(1), timeline={"tasks": tasks, "moments": []})
    exposed = small(outcome(1, "cut"), outcome(2, "late"), without="drain hold", found="completed")
    assert costs(row(exposed, protected)) == "costs 2 requests, 1 ready task; completed instead of deployed"
    assert verdict(row(exposed, protected)) == costs(row(exposed, protected))


def test_an_absence_that_changes_nothing_costs_nothing() -> None:
    assert costs(row(small(outcome(1), without="drain hold"), small(outcome(1), outcome(2, "cut")))) == COSTS_NOTHING


def test_an_absence_alone_is_compared_with_nothing() -> None:
    assert costs(row(small(outcome(1, "cut"), without="drain hold"))) == "nothing to compare with"


def test_totals_are_of_scenes_with_all_protections_and_the_bound_of_those_where_no_task_was_killed() -> None:
    killed = small(outcome(1), outcome(2, "cut"), name="killed", allowed_to_fail=1, harmed=True)
    spared = small(outcome(1), name="spared", harmed=True)
    lossy = small(outcome(1), outcome(2), outcome(3, "wrong"), name="lossy", found="completed")
    exposed = lossy._replace(without="drain hold")
    totals = total(rows([killed, spared, lossy, exposed]))
    assert totals._asdict() == {
        "scenes": 3,
        "requests": 6,
        "lost": 1,
        "excused": 1,
        "bounded": 3,
        "otherwise": 1,
    }
