"""Colours of what is drawn, in light and in dark.

The hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which the colour-blind can tell apart, and none
of them stands alone: states differ in height and carry words, failures lie on top and carry marks.
"""

from __future__ import annotations

FILLS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "faint": ("#59636e", "#9198a1"),
    "good": ("#0b6b3a", "#4cc38a"),
    "bad": ("#b3261e", "#ff8a80"),
    "line": ("#b6bec7", "#4a525b"),
    "starting": ("#b9d7ea", "#2c526e"),
    "ready": ("#0072b2", "#4ba3db"),
    "unhealthy": ("#cc79a7", "#d98cb8"),
    "draining": ("#e69f00", "#dfa32b"),
    "stopping": ("#6b5b3e", "#a8946c"),
    "stopped": ("#8b949e", "#7d8590"),
    "on-starting": ("#1f2328", "#e6edf3"),
    "on-ready": ("#ffffff", "#04121d"),
    "on-unhealthy": ("#240a19", "#240a19"),
    "on-draining": ("#1f1500", "#1f1500"),
    "on-stopping": ("#ffffff", "#14100a"),
    "answered": ("#a5cbe3", "#2b5876"),
    "refused": ("#c1200a", "#ff6b45"),
    "cut": ("#99004d", "#ff7ab8"),
    "late": ("#c28500", "#ffc233"),
    "wrong": ("#000000", "#ffffff"),
    "on-version": ("#1f1500", "#1f1500"),
    "version-0": ("#56b4e9", "#56b4e9"),
    "version-1": ("#009e73", "#1fb88b"),
    "version-2": ("#e69f00", "#e69f00"),
    "version-3": ("#cc79a7", "#cc79a7"),
}
_STROKES = {
    "grid": ("#dfe4ea", "#262d36"),
    "moment": ("#8b949e", "#6e7781"),
    "middle": ("#0072b2", "#4ba3db"),
    "tail": ("#7a5200", "#dfa32b"),
    "longest": ("#7d8590", "#7d8590"),
}
VERSION_COLOURS = 4
_SHAPES = (
    "text{font:11px system-ui,-apple-system,'Segoe UI',sans-serif}"
    ".small{font-size:10px}.end{text-anchor:end}.middle-of{text-anchor:middle}"
    ".strong{font-weight:600}.large{font-size:15px;font-weight:600}"
    ".grid,.moment,.middle,.tail,.longest{fill:none}.grid{stroke-width:1}.moment{stroke-dasharray:2 3}"
    ".middle,.tail{stroke-width:1.5;stroke-linejoin:round}.longest{stroke-width:3;stroke-linecap:round}"
)


def style() -> str:
    """CSS for a drawing or a page: dark on a screen that asks for it, light on paper."""
    return f"{_SHAPES}{_colours(0)}@media screen and (prefers-color-scheme:dark){{{_colours(1)}}}"


def _colours(theme: int) -> str:
    fills = "".join(f".{name}{{fill:{pair[theme]}}}" for name, pair in FILLS.items())
    strokes = "".join(f".{name}{{stroke:{pair[theme]}}}" for name, pair in _STROKES.items())
    return fills + strokes
