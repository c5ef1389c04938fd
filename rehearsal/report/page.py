"""The report as one HTML page that asks for nothing outside itself and runs no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from rehearsal.outcomes import Outcome
from rehearsal.report.axes import axes_of
from rehearsal.report.figures import Row, total, verdict
from rehearsal.report.legend import KINDS, LATENCIES, LEGEND_HEIGHT, STATES, draw_legend, legend_width
from rehearsal.report.palette import FILLS, style
from rehearsal.report.picture import picture
from rehearsal.report.table import HEAD, NOTE, NUMBERS, cells, comparisons, findings, heading, headline

LISTED = 50
_FAILURE_HEAD = ("sent at, s", "what", "status", "rows", "connection", "after, ms", "model version", "detail")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LAYOUT = (
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;margin:0 auto;max-width:1120px;padding:24px}"
    "h1{font-size:18px;font-weight:600;margin:0}h2{font-size:19px;margin:0 0 4px}p,ul,ol{margin:6px 0}"
    ".headline{font-size:clamp(26px,4.6vw,46px);font-weight:700;line-height:1.15;margin:10px 0 14px}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:13px;margin:14px 0;width:100%}"
    "th,td{border-bottom:1px solid;padding:5px 10px 5px 0;text-align:left;vertical-align:top}"
    "thead th{font-weight:600}tbody th{font-weight:400;min-width:9em}tbody+tbody{border-top:3px double}"
    ".number{font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}"
    ".verdict{font-weight:600}"
    "section{border-top:1px solid;margin-top:30px;padding-top:22px;scroll-margin-top:64px;break-inside:avoid}"
    "svg{display:block;height:auto;margin:10px 0;width:100%}section svg{min-width:760px}summary{cursor:pointer}"
    ".findings{font-size:17px;max-width:60em}.legend{margin:0;padding:8px 0;position:sticky;top:0}"
    "ol.moments{columns:2 320px;font-size:13px;padding-left:26px}time{font-variant-numeric:tabular-nums}"
    "@page{margin:14mm}@media print{body{max-width:none;padding:0}.legend{position:static}a{text-decoration:none}"
    "details::details-content{content-visibility:visible;height:auto}}"
)


def page(table: Sequence[Row]) -> str:
    """The whole document."""
    totals = total(table)
    exposed = any(row.scene.without for row in table)
    whole = totals.requests > 0 and all(row.held for row in table if row.scene.without is None)
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><title>The deployment, rehearsed</title>',
            f"<style>{style()}{_LAYOUT}{_colours(0)}",
            f"@media screen and (prefers-color-scheme:dark){{{_colours(1)}}}</style></head><body>",
            "<header><h1>The deployment, rehearsed</h1>",
            f'<p class="headline {"good" if whole else "bad"}">{escape(headline(totals))}</p>',
            f'<p class="findings">{escape(" ".join(findings(table)))}</p></header><main>',
            _table(table),
            f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in comparisons(table))}</ul>" if exposed else "",
            _legend(),
            *(_section(row, number, table) for number, row in enumerate(table, start=1)),
            "</main></body></html>\n",
        ]
    )


def _colours(theme: int) -> str:
    paper, ink, faint, good, bad, line = (
        FILLS[name][theme] for name in ("paper", "ink", "faint", "good", "bad", "line")
    )
    return (
        f"body,.legend{{background:{paper};color:{ink}}}a{{color:inherit}}.faint{{color:{faint}}}.good{{color:{good}}}"
        f".bad{{color:{bad}}}th,td,section,tbody{{border-color:{line}}}"
    )


def _table(table: Sequence[Row]) -> str:
    head = "".join(f'<th scope="col"{_kind(name)}>{escape(name)}</th>' for name in HEAD)
    numbered = list(enumerate(table, start=1))
    groups = (
        "\n".join(_line(*each) for each in numbered if bool(each[1].scene.without) == off) for off in (False, True)
    )
    body = "\n".join(f"<tbody>\n{group}\n</tbody>" for group in groups if group)
    return (
        '<div class="scroll" role="region" aria-label="All scenes" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead>\n{body}\n</table></div>"
        f'<p class="faint">{escape(NOTE)}</p>'
    )


def _line(number: int, row: Row) -> str:
    name, *others, judged = cells(row)
    data = "".join(_cell(row, column, cell) for column, cell in zip(HEAD[1:-1], others, strict=True))
    return (
        f'<tr><th scope="row"><a href="#scene-{number}">{escape(name)}</a></th>{data}'
        f'<td class="verdict {_colour(row)}">{escape(judged)}</td></tr>'
    )


def _cell(row: Row, column: str, cell: str) -> str:
    loud = ' class="verdict bad"' if column == "failed" and row.figures.failures else _kind(column)
    return f"<td{loud}>{escape(cell)}</td>"


def _kind(column: str) -> str:
    return ' class="number"' if column in NUMBERS else ""


def _colour(row: Row) -> str:
    """What lacks a protection is not judged by colour: there a loss is what was to be shown."""
    return "faint" if row.scene.without else "good" if row.held else "bad"


def _legend() -> str:
    kinds = legend_width("requests", KINDS)
    parts = [
        *draw_legend("tasks", STATES, 0, 0),
        *draw_legend("requests", KINDS, 0, LEGEND_HEIGHT),
        *draw_legend("latency", LATENCIES, kinds + 10, LEGEND_HEIGHT),
    ]
    return (
        f'<svg class="legend" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1100 {2 * LEGEND_HEIGHT}" role="img"'
        f' aria-label="What the colours mean">{"".join(parts)}</svg>'
    )


def _section(row: Row, number: int, table: Sequence[Row]) -> str:
    scene = row.scene
    alike = [each.scene for each in table if (each.scene.name, each.scene.order) == (scene.name, scene.order)]
    setting = f"{scene.setting}. " if scene.setting else ""
    as_expected = scene.found == scene.expected
    ended = f"ended as expected: {scene.found}" if as_expected else f"expected: {scene.expected}, found: {scene.found}"
    facts = f"{setting}{scene.rate:g} requests a second for {scene.seconds:.0f} s; {scene.order}; {ended}."
    return "\n".join(
        [
            f'<section id="scene-{number}"><h2>{escape(heading(row))}</h2>',
            f"<p>{escape(scene.question)}</p>",
            f'<p class="faint">{escape(facts)} <span class="verdict {_colour(row)}">{escape(verdict(row))}</span></p>',
            '<div class="scroll" role="region" aria-label="Picture" tabindex="0">',
            picture(row, axes_of(alike), name=f"scene-{number}"),
            "</div>",
            f'<ol class="moments">{"".join(_moments(row))}</ol>',
            _failures(row),
            "</section>",
        ]
    )


def _moments(row: Row) -> Iterable[str]:
    for moment in row.scene.moments:
        yield f'<li><time class="faint">{moment.seconds:.1f} s</time> {escape(moment.text)}</li>'


def _failures(row: Row) -> str:
    """The first LISTED requests that failed; open where none should have."""
    failures = [each for each in row.scene.outcomes if each.kind != "answered"]
    if not failures:
        return '<p class="good">No request failed.</p>'
    failures.sort(key=lambda each: each.intended_at)
    head = "".join(f'<th scope="col">{name}</th>' for name in _FAILURE_HEAD)
    lines = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _failure(each))}</tr>" for each in failures[:LISTED]]
    told = f"the first {LISTED} of {len(failures):,}" if len(failures) > LISTED else f"all {len(failures)}"
    opened = "" if row.scene.without else " open"
    return (
        f'<details{opened}><summary class="bad">Failed requests, {told}</summary><div class="scroll" tabindex="0"'
        f' role="region" aria-label="Failed requests"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div></details>"
    )


def _failure(each: Outcome) -> tuple[str, ...]:
    return (
        f"{each.intended_at:.3f}",
        each.kind,
        "-" if each.status is None else str(each.status),
        str(each.rows),
        "kept" if each.kept_alive else "new",
        f"{each.latency_seconds * 1000:,.1f}",
        each.version or "-",
        each.detail,
    )
