"""One scene as a drawing: its moments, its tasks, who answered, what became of the requests and how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from rehearsal.report.axes import Axes, Frame, bins
from rehearsal.report.figures import Row
from rehearsal.report.panels import (
    MARK_HEIGHT,
    TASK_HEIGHT,
    draw_latency,
    draw_moments,
    draw_requests,
    draw_tasks,
    draw_time,
    draw_versions,
    mark_levels,
)
from rehearsal.report.table import failed, heading
from rehearsal.results import SceneResult

_LEFT, _RIGHT = 150, 44
_BAND, _GAP, _FOOT = 13, 12, 20


class Heights(NamedTuple):
    requests: float
    latency: float


class Drawing(NamedTuple):
    parts: list[str]
    bottom: float


def versions(scene: SceneResult) -> list[str]:
    """The model versions that answered, in the order of their first answer."""
    return list(dict.fromkeys(each.version for each in scene.outcomes if each.version is not None))


def draw_scene(scene: SceneResult, axes: Axes, *, top: float, width: float, heights: Heights) -> Drawing:
    """The panels of one scene from ``top`` on, as SVG elements."""
    frame, drawn, names = Frame(_LEFT, width - _RIGHT, axes), bins(scene), versions(scene)
    tasks = top + (max(mark_levels(frame, scene.moments), default=-1) + 1) * MARK_HEIGHT + 2
    band = tasks + len(scene.lives) * TASK_HEIGHT + _GAP
    requests = band + (_BAND + _GAP if len(names) > 1 else 0)
    latency = requests + heights.requests + _GAP
    bottom = latency + heights.latency
    parts = [
        *draw_time(frame, tasks, bottom),
        *draw_tasks(frame, scene.lives, scene.seconds, tasks),
        *(draw_versions(frame, drawn, names, band, _BAND) if len(names) > 1 else ()),
        *draw_requests(frame, drawn, requests, heights.requests),
        *draw_latency(frame, drawn, latency, heights.latency),
        *draw_moments(frame, scene.moments, top, bottom),
    ]
    return Drawing(parts, bottom + _FOOT)


def picture(row: Row, axes: Axes, *, name: str) -> str:
    """An SVG element for a page; ``name`` makes its ids unique there."""
    width = 1100
    drawing = draw_scene(row.scene, axes, top=2, width=width, heights=Heights(requests=110, latency=96))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {drawing.bottom:.0f}" role="img"'
            f' aria-labelledby="{name}-title {name}-told">',
            f'<title id="{name}-title">{escape(heading(row))}</title>',
            f'<desc id="{name}-told">{escape(described(row))}</desc>',
            *drawing.parts,
            "</svg>",
        ]
    )


def described(row: Row) -> str:
    """The drawing in words."""
    scene = row.scene
    lives = [f"Task {each.task} of release {each.release}: {_states(each.states)}." for each in scene.lives]
    moments = [f"At {each.seconds:.1f} s {each.text}." for each in scene.moments]
    told = f"{row.figures.requests:,} requests, failed: {failed(row.figures)}."
    return " ".join([told, *lives, *moments])


def _states(states: Sequence[tuple[float, str]]) -> str:
    return ", ".join(f"{state} from {since:.1f} s" for since, state in states)
