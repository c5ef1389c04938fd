"""Models as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from service.bundle import Feature, Manifest, Outputs, Parity

if TYPE_CHECKING:
    from service.promotion import ListedModel

_FEATURES_SHOWN = 50
_VALUES_SHOWN = 8
_CELL_WIDTH = 100


def card(manifest: Manifest, manifest_sha256: str) -> str:
    """Everything that a person asks about a version: what it takes and answers, and what was proven of it."""
    lines = [
        f"{manifest.name} {manifest.version}",
        "",
        *table(_facts(manifest, manifest_sha256)),
        "",
        "takes",
        *table(("", *_feature(feature)) for feature in manifest.signature.features[:_FEATURES_SHOWN]),
    ]
    if (more := len(manifest.signature.features) - _FEATURES_SHOWN) > 0:
        lines.append(f"  and {more:,} more")
    lines += ["", "measured against the estimator", *table(_parity(manifest.parity))]
    for title, values in (("metrics", manifest.metrics), ("tags", manifest.tags), ("made with", manifest.versions)):
        if values:
            lines += ["", title, *table(("", key, str(value)) for key, value in values.items())]
    return "\n".join(lines)


def listing(models: Sequence[ListedModel]) -> str:
    """A line for each version, the oldest first, with the aliases that point to it."""
    rows = [("NAME", "VERSION", "ALIASES", "ENGINE", "ESTIMATOR", "CREATED")]
    for model in models:
        for listed in model.versions:
            aliases = ", ".join(alias for alias, version in model.aliases.items() if version == listed.version)
            found = listed.manifest
            about = (found.engine.name, found.estimator, found.created_at) if found else (listed.problem or "", "", "")
            rows.append((model.name, listed.version, aliases, *about))
        lost = [alias for alias, version in model.aliases.items() if version not in {v.version for v in model.versions}]
        rows += [(model.name, model.aliases[alias] or "", alias, "there is no such version", "", "") for alias in lost]
    return "\n".join(table(rows))


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines with their cells aligned, two spaces apart; what a terminal would obey is replaced."""
    cells = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def _facts(manifest: Manifest, manifest_sha256: str) -> Iterator[tuple[str, str, str]]:
    engine = manifest.engine
    yield "", "estimator", manifest.estimator
    yield "", "task", manifest.task
    yield "", "engine", " ".join(filter(None, (engine.name, engine.version, engine.precision)))
    yield "", "answers", _outputs(manifest.signature.outputs)
    yield "", "created", manifest.created_at
    yield "", "golden rows", str(len(manifest.golden.instances))
    for file in manifest.files:
        yield "", "file", f"{file.path} ({file.size:,} bytes)"
    yield "", "manifest", f"sha256:{manifest_sha256}"


def _feature(feature: Feature) -> tuple[str, str, str]:
    notes = ["may be missing"] if feature.nullable else []
    if feature.categories is not None:
        values = ", ".join(map(repr, feature.categories[:_VALUES_SHOWN]))
        more = ", ..." if len(feature.categories) > _VALUES_SHOWN else ""
        notes.append(f"{'only' if feature.closed else 'such as'} {values}{more}")
    elif feature.seen_min is not None and feature.seen_max is not None:
        notes.append(f"seen from {feature.seen_min:g} to {feature.seen_max:g}")
    return feature.name, feature.dtype, "; ".join(notes)


def _outputs(outputs: Outputs) -> str:
    shape = outputs.dtype if outputs.width is None else f"{outputs.width} x {outputs.dtype}"
    if outputs.classes is not None:
        more = ", ..." if len(outputs.classes) > _VALUES_SHOWN else ""
        shape += f" of {', '.join(map(repr, outputs.classes[:_VALUES_SHOWN]))}{more}"
    return shape + (", with probabilities" if outputs.probabilities else "")


def _parity(parity: Parity) -> Iterator[tuple[str, str, str]]:
    yield "", "rows", f"{parity.sample_rows:,} sample, {parity.hard_rows:,} hard"
    yield "", "equal labels", f"{parity.label_agreement:.4%}"
    yield "", "largest difference", f"{parity.max_abs_diff:.3g} ({parity.max_scaled_diff:.3g} of its scale)"
    for candidate in parity.candidates:
        yield "", candidate.engine, "chosen" if candidate.refused is None else f"refused: {candidate.refused}"


def _shown(cell: str) -> str:
    plain = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cell)
    return plain if len(plain) <= _CELL_WIDTH else f"{plain[: _CELL_WIDTH - 3]}..."
