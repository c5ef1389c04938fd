"""Requests in half seconds, and scales that hold everything."""

from __future__ import annotations

import pytest

from rehearsal.report.axes import Axes, Frame, axes_of, bins
from tests.rehearsal.report.samples import BEGIN, RATE, SECONDS, killed, promotion, rollout


def test_each_request_is_in_one_bin() -> None:
    drawn = bins(killed())
    assert [each.seconds for each in drawn] == [BEGIN + half / 2 for half in range(2 * SECONDS)]
    assert {sum(each.kinds.values()) for each in drawn} == {RATE // 2}
    assert sum(len(each.latencies) for each in drawn) == RATE * SECONDS - 3
    assert {version for each in bins(promotion()) for version in each.versions} == {"1", "2"}


def test_a_bin_of_failures_has_no_latency() -> None:
    (only,) = bins(rollout()._replace(outcomes=[rollout().outcomes[0]._replace(kind="cut")]))
    assert only.latency(50) is None


def test_scales_hold_what_scenes_have_together() -> None:
    slow = rollout().outcomes[0]._replace(intended_at=1, latency_seconds=2.5)
    quick = rollout().outcomes[0]._replace(intended_at=99.2, latency_seconds=0.0005)
    scenes = [rollout()._replace(outcomes=[slow, slow], seconds=10), rollout()._replace(outcomes=[quick], seconds=90)]
    assert axes_of(scenes) == Axes(seconds=100, requests=2, low=-1, high=4)


def test_a_scene_without_requests_has_scales_too() -> None:
    axes = axes_of([rollout()._replace(outcomes=[], seconds=0)])
    assert axes.seconds == 1
    assert axes.low < axes.high


def test_time_runs_from_left_to_right_and_stays_on_the_paper() -> None:
    frame = Frame(100, 200, Axes(50, 1, 0, 1))
    assert [frame.x(seconds) for seconds in (-1, 0, 25, 50, 51)] == [100, 100, 150, 200, 200]


@pytest.mark.parametrize(("seconds", "last"), [(1, 1), (12, 12), (13, 12), (69, 60), (321, 300), (7200, 7200)])
def test_ticks_are_round_and_few(seconds: float, last: float) -> None:
    ticks = Frame(0, 1, Axes(seconds, 1, 0, 1)).ticks
    assert ticks[0] == 0
    assert ticks[-1] == last
    assert len(ticks) <= 13
