"""The peers' environments: one each, made from its pinned list, and made again when the list changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.contest import ENVIRONMENTS, Contestant, requirements

_INSTALL_SECONDS = 600


def make_environment(peer: Contestant) -> str | None:
    """Makes the peer's environment unless it is there; why it could not be made, or None."""
    place = ENVIRONMENTS / peer.name
    listed = requirements(peer).read_text()
    stamp = place / "installed.txt"
    if stamp.exists() and stamp.read_text() == listed:
        return None
    shutil.rmtree(place, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    packages = ["--python", str(place / "bin" / "python"), "--no-deps", "-r", str(requirements(peer))]
    for command in ([uv, "venv", "--quiet", "--python", sys.executable, str(place)], [uv, "pip", "install", *packages]):
        refused = _run(command)
        if refused:
            return refused
    stamp.write_text(listed)
    return None


def _run(command: list[str]) -> str | None:
    """The last line of what went wrong, or None."""
    environment = {**os.environ, "UV_HTTP_TIMEOUT": "120"}
    try:
        done = subprocess.run(  # noqa: S603  # the commands are our own
            command, env=environment, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"not installed within {_INSTALL_SECONDS} s"
    written = done.stderr.strip().splitlines() or ["no word"]
    return written[-1].strip() if done.returncode else None
