"""What the colours of a drawing mean, on one line of SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from rehearsal.report.figures import FAILURES
from rehearsal.report.panels import words
from rehearsal.timeline import TaskState

LEGEND_HEIGHT = 20
_SWATCH, _LETTER, _GAP = 14, 6.2, 14


class Entry(NamedTuple):
    name: str
    shape: Literal["bar", "line", "dot"]
    colour: str


STATES = tuple(Entry(state, "bar", state) for state in get_args(TaskState))
KINDS = tuple(Entry(kind, "bar", kind) for kind in ("answered", *FAILURES))
LATENCIES = (Entry("p50", "line", "middle"), Entry("p99", "line", "tail"), Entry("longest", "dot", "longest"))


def draw_legend(label: str, entries: Sequence[Entry], left: float, top: float) -> list[str]:
    parts = [words(left, top + 13, label, "faint")]
    x = left + len(label) * _LETTER + _GAP
    for entry in entries:
        parts += [_swatch(entry, x, top), words(x + _SWATCH + 5, top + 13, entry.name, "ink")]
        x += _SWATCH + 5 + len(entry.name) * _LETTER + _GAP
    return parts


def legend_width(label: str, entries: Sequence[Entry]) -> float:
    return sum((len(entry.name) * _LETTER + _SWATCH + 5 + _GAP for entry in entries), len(label) * _LETTER + _GAP)


def _swatch(entry: Entry, x: float, top: float) -> str:
    if entry.shape == "bar":
        return f'<rect class="{entry.colour}" x="{x:.1f}" y="{top + 4:.1f}" width="{_SWATCH}" height="10"/>'
    x, length = (x, _SWATCH) if entry.shape == "line" else (x + _SWATCH / 2, 0)
    return f'<path class="{entry.colour}" d="M{x:.1f} {top + 9:.1f}h{length}"/>'
