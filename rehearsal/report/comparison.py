"""A drawing for the README: one deployment with all protections, and the same without one of them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from rehearsal.report.axes import Axes, axes_of
from rehearsal.report.figures import Row
from rehearsal.report.legend import KINDS, LATENCIES, LEGEND_HEIGHT, STATES, draw_legend, legend_width
from rehearsal.report.palette import style
from rehearsal.report.panels import shortened, words
from rehearsal.report.picture import Heights, described, draw_scene
from rehearsal.report.table import heading

FIRST_CHOICE = ("a new image tag", "drain hold")
_WIDTH, _MARGIN, _COLUMNS, _MARK_LINE = 900, 16, 2, 15
_HEIGHTS = Heights(requests=64, latency=60)


def compare(table: Sequence[Row]) -> str | None:
    """An SVG document of the pair of FIRST_CHOICE, else of the first pair; None where there is no pair."""
    pairs = [(row.beside, row) for row in table if row.beside]
    preferred = [pair for pair in pairs if (pair[1].scene.name, pair[1].scene.without) == FIRST_CHOICE]
    if not pairs:
        return None
    pair = (preferred or pairs)[0]
    return _document(pair)


def _document(pair: tuple[Row, Row]) -> str:
    axes = axes_of([row.scene for row in pair])
    parts: list[str] = []
    top = 10.0
    for row in pair:
        drawn, top = _scene(row, axes, top)
        parts += drawn
    drawn, top = _legends(top)
    parts += drawn
    told = " ".join(f"{_title(row)}. {described(row)}" for row in pair)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top:.0f}" width="{_WIDTH}"'
            f' height="{top:.0f}" role="img" aria-labelledby="title told">',
            f'<title id="title">{escape(" / ".join(_title(row) for row in pair))}</title>',
            f'<desc id="told">{escape(told)}</desc>',
            f"<style>{style()}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{top:.0f}" rx="6"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _scene(row: Row, axes: Axes, top: float) -> tuple[list[str], float]:
    color = "bad" if row.figures.failures else "good"
    title = words(_MARGIN, top + 16, _title(row), f"large {color}")
    drawing = draw_scene(row.scene, axes, top=top + 26, width=_WIDTH, heights=_HEIGHTS)
    marks, bottom = _marks(row, drawing.bottom)
    return [title, *drawing.parts, *marks], bottom + 14


def _title(row: Row) -> str:
    return f"{heading(row)}: {row.figures.requests:,} requests, {row.figures.failures:,} failed"


def _marks(row: Row, top: float) -> tuple[list[str], float]:
    """What the numbers mean, in columns that are read downwards."""
    moments = row.scene.moments
    lines = -(-len(moments) // _COLUMNS)
    column = (_WIDTH - 2 * _MARGIN) / _COLUMNS
    parts = []
    for index, moment in enumerate(moments):
        x, y = _MARGIN + index // lines * column, top + index % lines * _MARK_LINE + 10
        parts.append(words(x + 16, y, f"{index + 1}", "ink small strong end"))
        parts.append(words(x + 22, y, f"{moment.seconds:.1f} s  {shortened(moment.text, 62)}", "faint small"))
    return parts, top + lines * _MARK_LINE


def _legends(top: float) -> tuple[list[str], float]:
    states = draw_legend("tasks", STATES, _MARGIN, top)
    below = top + LEGEND_HEIGHT
    kinds = draw_legend("requests", KINDS, _MARGIN, below)
    latencies = draw_legend("latency", LATENCIES, _MARGIN + legend_width("requests", KINDS) + 10, below)
    return [*states, *kinds, *latencies], below + LEGEND_HEIGHT + 8
