"""What scenes came to, for people: a table, one page with a picture of each scene, and a drawing for the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rehearsal.report.comparison import compare
from rehearsal.report.figures import rows
from rehearsal.report.page import page
from rehearsal.report.table import markdown, text
from rehearsal.results import SceneResult

_DRAWING, _TABLE = "results.svg", "RESULTS.md"


def write_page(results: Sequence[SceneResult], path: Path) -> str:
    """Writes the page, also the folder that it lies in; the table as text."""
    table = rows(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(table), encoding="utf-8")
    return text(table)


def keep(results: Sequence[SceneResult], directory: Path) -> None:
    """Writes the table, and the drawing where a scene was played with and without a protection."""
    table = rows(results)
    drawing = compare(table)
    if drawing is not None:
        (directory / _DRAWING).write_text(drawing, encoding="utf-8")
    (directory / _TABLE).write_text(markdown(table, None if drawing is None else _DRAWING), encoding="utf-8")


def all_held(results: Sequence[SceneResult]) -> bool:
    """Whether every scene with all its protections lost nothing and ended as it should; not where none was played."""
    protected = [row for row in rows(results) if row.scene.without is None]
    return bool(protected) and all(row.held for row in protected)
