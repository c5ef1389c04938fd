"""Results as a drawing: a dot for each contestant and scenario, on a scale of powers of ten."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

from benchmarks.contest import OWN, PEERS
from benchmarks.measure import Scenario
from benchmarks.results import Results

_PANEL, _LEFT, _LINE, _TOP = 210, 160, 22, 64
_COLORS = {"alphard": "#c2410c"}
_OTHERS = "#475569"
_STYLE = "text{font:12px system-ui,sans-serif;fill:#0f172a}.small{font-size:10px;fill:#64748b}"


def draw(results: Results, model: str) -> str:
    """An SVG document of one model's rates, with a panel for each scenario."""
    figures = results.models[model].figures
    names = [each for each in (*OWN, *PEERS) if any(name == each.name for name, _ in figures)]
    scenarios = list(dict.fromkeys(scenario for _, scenario in figures))
    width, height = _LEFT + _PANEL * len(scenarios) + 20, _TOP + _LINE * len(names) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<style>{_STYLE}</style><rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="22">Requests a second, {escape(model)} (rows a request x connections)</text>',
    ]
    for row, contestant in enumerate(names):
        parts.append(f'<text x="10" y="{_TOP + _LINE * row + 16}">{escape(contestant.title)}</text>')
    for column, scenario in enumerate(scenarios):
        rates = [figures[each.name, scenario].rate for each in names]
        parts += _panel(_LEFT + _PANEL * column, scenario, [each.name for each in names], rates)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(left: float, scenario: Scenario, names: list[str], rates: list[float]) -> list[str]:
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    span = (_PANEL - 60) / max(1, high - low)
    bottom = _TOP + _LINE * len(names)
    parts = [f'<text x="{left}" y="{_TOP - 20}">{scenario}</text>']
    for power in range(low, high + 1):
        x = left + (power - low) * span
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke="#e2e8f0"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{10**power:,}</text>')
    for row, (name, rate) in enumerate(zip(names, rates, strict=True)):
        x, y = left + (math.log10(rate) - low) * span, _TOP + _LINE * row + 12
        color = _COLORS.get(name, _OTHERS)
        parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{color}"/>')
        parts.append(f'<text class="small" x="{x + 8:.1f}" y="{y + 4}">{rate:,.0f}</text>')
    return parts
