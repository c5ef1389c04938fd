"""The panels of a scene's drawing, one above the other on the same axis of time; each is SVG from ``top`` on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.sax.saxutils import escape

from rehearsal.report.axes import BIN_SECONDS, Bin, Frame
from rehearsal.report.figures import FAILURES
from rehearsal.report.palette import VERSION_COLOURS
from rehearsal.timeline import Life, Moment

TASK_HEIGHT, MARK_HEIGHT = 20, 17
_INSETS = {"starting": 4, "ready": 1, "unhealthy": 1, "draining": 1, "stopping": 4, "stopped": 8.5}  # half a bar's lack
_LETTER = 6.0  # about the width of one, at the size of the words in bars
_SEEN = 2.0  # the least height of failures


def words(x: float, y: float, text: str, classes: str) -> str:
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def shortened(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def mark_levels(frame: Frame, moments: Sequence[Moment]) -> list[int]:
    """On which line above the panels each moment's number stands, so that none lies on another."""
    ends: list[float] = []
    levels = []
    for moment in moments:
        x = frame.x(moment.seconds)
        free = [level for level, end in enumerate(ends) if end <= x]
        level = free[0] if free else len(ends)
        ends[level : level + 1] = [x + MARK_HEIGHT]
        levels.append(level)
    return levels


def draw_moments(frame: Frame, moments: Sequence[Moment], top: float, bottom: float) -> list[str]:
    """Numbers in circles, with a line through all panels."""
    levels = mark_levels(frame, moments)
    rows = max(levels, default=-1) + 1
    parts = []
    for number, (moment, level) in enumerate(zip(moments, levels, strict=True), start=1):
        x, y = frame.x(moment.seconds), top + (rows - level - 0.5) * MARK_HEIGHT
        told = f"{moment.seconds:.1f} s: {moment.text}"
        parts.append(
            f'<g><title>{escape(told)}</title><path class="moment" d="M{x:.1f} {y + 7:.1f}V{bottom:.1f}"/>'
            f'<circle class="ink" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
            f"{words(x, y + 3.5, str(number), 'paper small strong middle-of')}</g>"
        )
    return parts


def draw_tasks(frame: Frame, lives: Sequence[Life], end: float, top: float) -> list[str]:
    """A bar for each task until ``end``, as high as much as it serves, with its state in words where there is room."""
    parts = []
    for row, life in enumerate(lives):
        y = top + row * TASK_HEIGHT
        label = f"task {shortened(life.task, 8)} · {shortened(life.release, 10)}"
        parts.append(words(frame.left - 8, y + 14, label, "ink end"))
        states = [each for each in life.states if each[0] < end]
        for (since, state), until in zip(states, [*(since for since, _ in states[1:]), end], strict=True):
            x, width, inset = frame.x(since), frame.x(until) - frame.x(since), _INSETS[state]
            told = f"task {life.task}, release {life.release}: {state} from {since:.1f} to {until:.1f} s"
            parts.append(
                f'<rect class="{state}" x="{x:.1f}" y="{y + inset:.1f}" width="{max(width, 1):.1f}"'
                f' height="{TASK_HEIGHT - 2 * inset:.1f}"><title>{escape(told)}</title></rect>'
            )
            if state != "stopped" and width > len(state) * _LETTER + 4:
                parts.append(words(x + 4, y + 13.5, state, f"on-{state} small"))
    return parts


def draw_versions(frame: Frame, drawn: Sequence[Bin], versions: Sequence[str], top: float, height: float) -> list[str]:
    """A band in which each version of the model has its share of the answers, named where it has the most of them."""
    paths: list[list[str]] = [[] for _ in versions]
    for each in drawn:
        y, answers = top, sum(each.versions.values())
        for path, version in zip(paths, versions, strict=True):
            share = height * each.versions.get(version, 0) / max(1, answers)
            path.append(_column(frame, each, y, share))
            y += share
    parts = [
        f'<path class="version-{index % VERSION_COLOURS}" d="{"".join(path)}"><title>{escape(f"model version {name}")}'
        "</title></path>"
        for index, (name, path) in enumerate(zip(versions, paths, strict=True))
    ]
    return [
        words(frame.left - 8, top + height - 3, "model version", "ink end"),
        *parts,
        *_named(frame, drawn, top + 10),
    ]


def _named(frame: Frame, drawn: Sequence[Bin], y: float) -> list[str]:
    """The versions that answered most, where there is room for their names."""
    answered = [each for each in drawn if each.versions]
    parts = []
    for version, run in groupby(answered, lambda each: max(each.versions, key=lambda name: each.versions[name])):
        bins = list(run)
        x, end = frame.x(bins[0].seconds), frame.x(bins[-1].seconds + BIN_SECONDS)
        if end - x > len(version) * _LETTER + 8:
            parts.append(words(x + 4, y, version, "on-version small strong"))
    return parts


def draw_requests(frame: Frame, drawn: Sequence[Bin], top: float, height: float) -> list[str]:
    """Columns of half a second by outcome: failures on top, two pixels high at least, each with a mark above it."""
    base, per_request = top + height, (height - 8) / frame.axes.requests
    paths: dict[str, list[str]] = {"answered": [], **{kind: [] for kind in FAILURES}}
    marks = []
    for each in drawn:
        y = base
        for kind, path in paths.items():
            if count := each.kinds.get(kind, 0):
                high = count * per_request if kind == "answered" else max(_SEEN, count * per_request)
                y -= high
                path.append(_column(frame, each, y, high))
        if told := ", ".join(f"{each.kinds[kind]} {kind}" for kind in FAILURES if kind in each.kinds):
            marks.append(_mark(frame.x(each.seconds + BIN_SECONDS / 2), y - 2, f"{each.seconds:g} s: {told}"))
    parts = [f'<path class="{kind}" d="{"".join(path)}"/>' for kind, path in paths.items() if path]
    return [
        *_scale(frame, [(base, "0"), (base - frame.axes.requests * per_request, f"{frame.axes.requests:,}")]),
        words(frame.left - 8, top + height / 2 + 4, "requests / ½ s", "ink end"),
        *parts,
        *marks,
    ]


def draw_latency(frame: Frame, drawn: Sequence[Bin], top: float, height: float) -> list[str]:
    """Of the answered, on a scale of powers of ten: p50 and p99 as lines, the longest as dots."""
    low, high = frame.axes.low, frame.axes.high

    def y(milliseconds: float) -> float:
        return top + height * (high - max(low, math.log10(max(milliseconds, 1e-3)))) / (high - low)

    def points(percent: float) -> list[tuple[float, float] | None]:
        found = [(each, each.latency(percent)) for each in drawn]
        return [(frame.x(each.seconds + BIN_SECONDS / 2), y(ms)) if ms is not None else None for each, ms in found]

    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in filter(None, points(100)))
    return [
        *_scale(frame, [(y(10.0**power), f"{10.0**power:,g}") for power in range(low, high + 1)]),
        words(frame.left - 8, top + height / 2 + 4, "latency, ms", "ink end"),
        f'<path class="longest" d="{dots}"/>',
        f'<path class="tail" d="{_line(points(99))}"/>',
        f'<path class="middle" d="{_line(points(50))}"/>',
    ]


def draw_time(frame: Frame, top: float, bottom: float) -> list[str]:
    """Upright lines behind the panels, and the seconds below them."""
    lines = "".join(f"M{frame.x(second):.1f} {top:.1f}V{bottom:.1f}" for second in frame.ticks)
    parts = [f'<path class="grid" d="{lines}"/>']
    parts += [words(frame.x(second), bottom + 13, f"{second:g}", "faint small middle-of") for second in frame.ticks]
    return [*parts, words(frame.left - 8, bottom + 13, "seconds", "faint small end")]


def _scale(frame: Frame, levels: Iterable[tuple[float, str]]) -> list[str]:
    levels = list(levels)
    lines = "".join(f"M{frame.left:.1f} {y:.1f}H{frame.right:.1f}" for y, _ in levels)
    parts = [f'<path class="grid" d="{lines}"/>']
    return parts + [words(frame.right + 6, y + 3.5, label, "faint small") for y, label in levels]


def _column(frame: Frame, each: Bin, y: float, height: float) -> str:
    x, end = frame.x(each.seconds), frame.x(each.seconds + BIN_SECONDS)
    return f"M{x:.1f} {y:.1f}H{end:.1f}v{height:.1f}H{x:.1f}z"


def _mark(x: float, y: float, told: str) -> str:
    return f'<path class="bad" d="M{x:.1f} {y:.1f}l-3-6h6z"><title>{escape(told)}</title></path>'


def _line(points: Sequence[tuple[float, float] | None]) -> str:
    """A path with a gap where there is no point."""
    parts, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
        else:
            parts.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
            pen = "L"
    return "".join(parts)
