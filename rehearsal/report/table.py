"""The table of all scenes, for a terminal and as Markdown, and what can be said below it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rehearsal.report.figures import COSTS_NOTHING, FAILURES, Figures, Row, Totals, costs, counted, total, verdict

HEAD = ("scene", "protection off", "ready", "requests", "failed", "p50", "p99", "max ms", "outcome", "verdict")
NUMBERS = frozenset({"ready", "requests", "p50", "p99", "max ms"})
NOTE = (
    "ready: tasks that were, when the fewest were. p50, p99, max: of the answered requests, from when each should have"
    " been sent. in hand: requests that a task had, or was being sent, when it was killed or frozen."
)
_FEWEST_FOR_A_BOUND = 3


def cells(row: Row) -> tuple[str, ...]:
    """In the order of HEAD; ``ready`` is of the moment when the fewest tasks were."""
    scene, figures = row.scene, row.figures
    latencies = [f"{each:,.1f}" for each in figures.latencies] if figures.latencies else ["-"] * 3
    outcome = scene.found if scene.found == scene.expected else f"{scene.found}, not {scene.expected}"
    return (
        title(row),
        scene.without or "",
        str(figures.fewest_ready),
        f"{figures.requests:,}",
        failed(figures),
        *latencies,
        outcome,
        verdict(row),
    )


def title(row: Row) -> str:
    """The scene's name, and the order of taking tasks out where it is not the documented one."""
    return f"{row.scene.name}, SIGTERM first" if row.scene.order == "SIGTERM first" else row.scene.name


def heading(row: Row) -> str:
    """The title as a sentence begins, and which protection is off."""
    without = f", without {row.scene.without}" if row.scene.without else ""
    return f"{title(row)[:1].upper()}{title(row)[1:]}{without}"


def failed(figures: Figures) -> str:
    """How many, and how: "0", "9 late", "12 (10 cut, 2 late)"."""
    kinds = [f"{figures.failed[kind]:,} {kind}" for kind in FAILURES if figures.failed[kind]]
    return f"{figures.failures:,} ({', '.join(kinds)})" if len(kinds) > 1 else "".join(kinds) or "0"


def text(table: Sequence[Row]) -> str:
    """Aligned columns and the sentences below them, for a terminal."""
    lines = [HEAD, *(cells(row) for row in table)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    ruled = [_aligned(lines[0], widths), "  ".join("-" * width for width in widths)]
    ruled += [_aligned(line, widths) for line in lines[1:]]
    return "\n".join([*ruled, "", headline(total(table)), *findings(table), *comparisons(table)]) + "\n"


def markdown(table: Sequence[Row], picture: str | None) -> str:
    """A whole page; ``picture`` is the address of a drawing, if there is one."""
    ruler = ["---:" if name in NUMBERS else "---" for name in HEAD]
    lines = [HEAD, ruler, *([_escaped(cell) for cell in cells(row)] for row in table)]
    parts = [
        "# The deployment, rehearsed",
        "Written by `make rehearse`, which plays all of it again.",
        f"**{headline(total(table))}**",
        " ".join(_escaped(finding) for finding in findings(table)),
        f"![The same deployment with and without one of its protections]({picture})" if picture else "",
        "\n".join(f"| {' | '.join(line)} |" for line in lines),
        NOTE,
        "\n".join(f"- {_escaped(comparison)}" for comparison in comparisons(table)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def headline(totals: Totals) -> str:
    """What a person should see first."""
    scenes = "1 scene" if totals.scenes == 1 else f"{totals.scenes} scenes"
    told = f"{totals.lost:,} of {totals.requests:,} requests lost in {scenes}"
    return f"{told}, {totals.otherwise} ended otherwise than expected" if totals.otherwise else told


def findings(table: Sequence[Row]) -> list[str]:
    """What was lost under all protections, what that bounds, and which scenes did not hold."""
    totals = total(table)
    told = [_bound(totals)]
    if totals.excused:
        requests = counted(totals.excused, "request")
        told.append(
            f"Besides, {requests} failed with tasks that were killed or frozen: in their hands, or sent to them before"
            " that was noticed."
        )
    return told + [
        f"Did not hold: {title(row)} ({verdict(row)})." for row in table if not (row.held or row.scene.without)
    ]


def comparisons(table: Sequence[Row]) -> list[str]:
    """What the absence of each protection costs, also where that is nothing."""
    return [_comparison(row) for row in table if row.scene.without]


def _bound(totals: Totals) -> str:
    """By the rule of three, for which scenes do not count where requests were bound to fail."""
    if totals.lost:
        return f"With all protections on, {totals.lost:,} of {totals.requests:,} requests were lost."
    scope = "with all protections on and no task killed or frozen"
    if totals.bounded < _FEWEST_FOR_A_BOUND:
        return f"Too few requests were sent {scope} to say how seldom one is lost: {totals.bounded}."
    return (
        f"None of {totals.bounded:,} requests was lost {scope}: with 95% confidence fewer than one in"
        f" {totals.bounded // 3:,} is (3/n), if losses are independent."
    )


def _comparison(row: Row) -> str:
    setting = f" ({row.scene.setting})" if row.scene.setting else ""
    told = f"Without {row.scene.without}{setting}, “{title(row)}”: {costs(row)}"
    if row.beside is None:
        return f"{told}."
    if costs(row) == COSTS_NOTHING:
        told += ", so here it is not needed or not tested"
    return f"{told}. Failed: {_pair(row, 'failed')}; p99 {_pair(row, 'p99')} ms, longest {_pair(row, 'max ms')} ms."


def _pair(row: Row, column: str) -> str:
    """Without the protection, against with it."""
    return " against ".join(cells(each)[HEAD.index(column)] for each in (row, row.beside) if each)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [
        cell.rjust(width) if name in NUMBERS else cell.ljust(width)
        for cell, width, name in zip(line, widths, HEAD, strict=True)
    ]
    return "  ".join(fitted).rstrip()


def _escaped(cell: str) -> str:
    return re.sub(r"([\\`*<|\[\]])", r"\\\1", " ".join(cell.split()))
