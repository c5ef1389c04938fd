"""Colours that can be read in light and in dark, and told apart."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from rehearsal.report.figures import FAILURES
from rehearsal.report.palette import FILLS, VERSION_COLOURS, style

_READABLE = 4.5
"""https://www.w3.org/TR/WCAG22/#contrast-minimum"""
_SEEN = 3.0
"""https://www.w3.org/TR/WCAG22/#non-text-contrast"""


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_words_can_be_read(theme: int) -> None:
    pairs = [(name, "paper") for name in ("ink", "faint", "good", "bad")]
    pairs += [(name, name.removeprefix("on-")) for name in FILLS if name.startswith("on-") and name[3:] in FILLS]
    pairs += [("on-version", f"version-{index}") for index in range(VERSION_COLOURS)]
    unread = [pair for pair in pairs if contrast(*(FILLS[each][theme] for each in pair)) < _READABLE]
    assert unread == []


@pytest.mark.parametrize("theme", [0, 1])
def test_failures_are_seen_on_paper_and_each_has_its_colour(theme: int) -> None:
    assert all(contrast(FILLS[kind][theme], FILLS["paper"][theme]) >= _SEEN for kind in FAILURES)
    assert all(FILLS[one][theme] != FILLS[other][theme] for one, other in combinations(("answered", *FAILURES), 2))


def test_dark_differs_from_light_only_in_colours() -> None:
    light, _, dark = style().partition("@media screen and (prefers-color-scheme:dark)")
    assert set(re.findall(r"\.([\w-]+)\{(?:fill|stroke):#", light)) == set(re.findall(r"\.([\w-]+)\{", dark))
