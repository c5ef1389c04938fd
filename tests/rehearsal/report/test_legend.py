"""The legend names everything that can be drawn, and fits its width."""

from __future__ import annotations

import re
from typing import get_args

from rehearsal.outcomes import Kind
from rehearsal.report.legend import KINDS, LATENCIES, STATES, draw_legend, legend_width
from rehearsal.report.palette import style
from rehearsal.timeline import TaskState


def test_each_state_and_each_kind_of_outcome_has_an_entry_with_a_colour() -> None:
    assert {entry.name for entry in STATES} == set(get_args(TaskState))
    assert {entry.name for entry in KINDS} == set(get_args(Kind))
    assert all(f".{entry.colour}{{" in style() for entry in (*STATES, *KINDS, *LATENCIES))


def test_it_ends_within_its_width() -> None:
    drawn = "".join(draw_legend("requests", KINDS, 100, 0))
    assert re.findall(r">([^<]+)</text>", drawn) == ["requests", *(entry.name for entry in KINDS)]
    assert max(map(float, re.findall(r' x="([\d.]+)"', drawn))) < 100 + legend_width("requests", KINDS)
