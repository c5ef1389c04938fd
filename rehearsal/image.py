"""What the image runs, as docker/Dockerfile says it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from rehearsal.errors import RefusedError

DOCKERFILE = Path(__file__).parents[1] / "docker" / "Dockerfile"
STAGE = "serve"

_FROM = re.compile(r"FROM\s+(\S+)\s+AS\s+(\S+)", re.IGNORECASE)
_FORM = re.compile(r"(ENTRYPOINT|CMD)\s+(\[.*\])")

Lists = Mapping[str, tuple[str, ...]]
"""ENTRYPOINT and CMD, where there are such."""


def image_command(
    entry_point: tuple[str, ...] | None = None, command: tuple[str, ...] | None = None, *, dockerfile: str | None = None
) -> tuple[str, ...]:
    """What a container runs whose definition has this entry point and command, or none.

    An entry point of the definition's own leaves out the image's CMD, as Docker does. Raises RefusedError if there is
    nothing to run.
    """
    own = _lists(DOCKERFILE.read_text() if dockerfile is None else dockerfile)
    first = own.get("ENTRYPOINT", ()) if entry_point is None else entry_point
    rest = command if command is not None else own.get("CMD", ()) if entry_point is None else ()
    if not first + rest:
        raise RefusedError(f"neither the task definition nor stage {STAGE} of the Dockerfile says what to run")
    return first + rest


def _lists(dockerfile: str) -> Lists:
    """Those of the stage that serves, or of the stages that it stands on; in exec form, a shell's is none of ours."""
    stages: dict[str, Lists] = {}
    name = ""
    for line in dockerfile.splitlines():
        if found := _FROM.match(line):
            name = found[2]
            stages[name] = stages.get(found[1], {})
        elif found := _FORM.match(line):
            stages[name] = {**stages.get(name, {}), found[1]: tuple(json.loads(found[2]))}
    return stages.get(STAGE, {})
