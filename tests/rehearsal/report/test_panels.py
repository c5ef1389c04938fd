"""What the panels draw of tasks, moments and versions."""

from __future__ import annotations

import re

from rehearsal.report.axes import Axes, Frame, bins
from rehearsal.report.panels import draw_latency, draw_moments, draw_tasks, draw_versions, mark_levels, shortened
from rehearsal.timeline import Life, Moment
from tests.rehearsal.report.samples import killed, promotion

FRAME = Frame(100, 1100, Axes(100, 100, 0, 3))


def test_a_task_has_a_bar_for_each_state_until_the_end() -> None:
    life = Life("3", "8be41a7", [(10, "starting"), (20.0, "ready"), (90.0, "stopped")])
    drawn = draw_tasks(FRAME, [life], 80, 0)
    assert "task 3 · 8be41a7" in drawn[0]
    bars = re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', "".join(drawn))
    assert bars == [("starting", "200.0", "100.0"), ("ready", "300.0", "600.0")]


def test_words_stand_only_where_they_fit() -> None:
    life = Life("1", "r", [(0, "starting"), (1.0, "ready"), (50.0, "stopped")])
    said = re.findall(r">([^<>]+)</text>", "".join(draw_tasks(FRAME, [life], 100, 0)))
    assert said == ["task 1 · r", "ready"]


def test_numbers_of_moments_never_lie_on_each_other() -> None:
    moments = [Moment(seconds, "x") for seconds in (3.0, 3.0, 3.1, 50, 50.0)]
    assert mark_levels(FRAME, moments) == [0, 1, 2, 0, 1]
    drawn = "".join(draw_moments(FRAME, moments, 0, 100))
    places = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert len(set(places)) == len(moments)
    assert re.findall(r">(\d)</text>", drawn) == list("12345")


def test_the_band_names_the_version_that_answers_most() -> None:
    drawn = "".join(draw_versions(FRAME, bins(promotion()), ["1", "2"], 0, 13))
    named = re.findall(r'x="([\d.]+)"[^>]*>(\d)</text>', drawn)
    assert named[0] == ("154.0", "1")
    assert named[-1][1] == "2"
    assert drawn.count("<title>model version ") == 2


def test_latency_has_a_gap_where_nothing_was_answered() -> None:
    failed = killed()._replace(
        outcomes=[each._replace(kind="late") if 40 <= each.intended_at < 50 else each for each in killed().outcomes]
    )
    *_, tail, middle = draw_latency(FRAME, bins(failed), 0, 100)
    assert tail.count("M") == middle.count("M") == 2


def test_a_slow_answer_is_drawn_higher_than_a_quick_one() -> None:
    quick, slow = (killed().outcomes[0]._replace(latency_seconds=seconds) for seconds in (0.001, 1))
    heights = [
        float(
            re.findall(
                r'class="middle" d="M[\d.]+ ([\d.]+)"',
                draw_latency(FRAME, bins(killed()._replace(outcomes=[each])), 0, 90)[-1],
            )[0]
        )
        for each in (quick, slow)
    ]
    assert heights == [90, 0]


def test_what_is_too_long_is_shortened() -> None:
    assert [shortened(text, 4) for text in ("four", "fives")] == ["four", "fiv…"]
