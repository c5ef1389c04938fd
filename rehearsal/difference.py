"""What two deployments differ in, in the words of their settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.deployed import Deployed


def difference(before: Deployed, after: Deployed) -> str:
    """``service.minimum_healthy_percent 100 -> 50``, or nothing where nothing differs."""
    return ", ".join(_differences("", before, after))


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _differences(key, before.get(key, "none"), after.get(key, "none"))
    elif hasattr(before, "_asdict") and hasattr(after, "_asdict"):
        for key, value in before._asdict().items():
            yield from _differences(f"{path}.{key}".lstrip("."), value, getattr(after, key))
    else:
        yield f"{path} {_text(before)} -> {_text(after)}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
