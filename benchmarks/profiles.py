"""Where the service's time goes: samples of its event loop's stacks, by the innermost of its own functions."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.contest import ALPHARD
from benchmarks.load import closed_loop
from benchmarks.markdown import table
from benchmarks.measure import MANY_ROWS, ONE_ROW, Form, Runner, Scenario, start
from benchmarks.models import ServedModel

_PY_SPY = "py-spy==0.4.1"
_SAMPLES_A_SECOND, _SECONDS = 400, 6
_MARGIN_SECONDS = 2
"""The load goes on while the profiler begins and ends."""

_PATIENCE_SECONDS = 120
_EVENT_LOOP = "run (service/server.py"
_OWN = re.compile(r"([^;]+) \((service/[^:]+):\d+\)")
_LEAST_SHARE = 0.01


class ProfileError(Exception):
    """The profiler cannot be had, or may not look; the text is its last line."""


class Profile(NamedTuple):
    """Parts of the time by function and file."""

    scenario: Scenario
    shares: dict[str, float]


def measure_profiles(model: ServedModel, form: Form, logs: Path) -> list[Profile]:
    """Raises ProfileError, StartError or WrongAnswerError."""
    _finished(_profiler("--version", log=logs / "py-spy.log"), logs / "py-spy.log")  # installs it, where it is not
    scenarios = (ONE_ROW, MANY_ROWS)
    with ExitStack() as stack:
        runner = start(stack, ALPHARD, model, form._replace(scenarios=scenarios), logs)
        return [Profile(each, shares(_stacks(runner, each, logs))) for each in scenarios]


def _stacks(runner: Runner, scenario: Scenario, logs: Path) -> str:
    raw, log = logs / f"profile-{scenario.rows}.txt", logs / "py-spy.log"
    what = ("record", "--pid", str(runner.server.process.pid), "--format", "raw", "--output", str(raw))
    how = ("--rate", str(_SAMPLES_A_SECOND), "--duration", str(_SECONDS))
    profiler = _profiler(*what, *how, log=log)
    requests, answers = runner.checked[scenario.rows]
    seconds = _SECONDS + _MARGIN_SECONDS
    closed_loop([runner.server.address], requests, answers, connections=scenario.connections, seconds=seconds)
    _finished(profiler, log)
    return raw.read_text()


def _profiler(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "tool", "run", "--quiet", "--from", _PY_SPY, "py-spy", *arguments]
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603  # our own command


def _finished(profiler: subprocess.Popen[bytes], log: Path) -> None:
    """Waits for it. Raises ProfileError if it fails or takes too long."""
    try:
        status = profiler.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        profiler.kill()
        status = profiler.wait()
    if status:
        raise ProfileError((log.read_text(errors="replace").strip().splitlines() or ["no word"])[-1])


def shares(stacks: str) -> dict[str, float]:
    """Of lines with a stack, innermost last, and how often it was seen: the largest shares of the event loop's."""
    seen: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        if _EVENT_LOOP in stack:
            function, file = _OWN.findall(stack)[-1]
            seen[f"`{function}`, {file}"] += int(count)
    total = sum(seen.values())
    return {name: count / total for name, count in seen.most_common() if count >= _LEAST_SHARE * total}


def write_profiles(profiles: Sequence[Profile]) -> str:
    """As Markdown."""
    told = (
        "Samples by py-spy of the event loop of Alphard with logistic, by the innermost of the service's own functions:"
        " what it calls of libraries is in its share. That of `run` is Uvicorn, uvloop, httptools and the kernel."
    )
    parts = [f"## Where the time goes\n\n{told}"]
    for each in profiles:
        rows = [[name, f"{share:.0%}"] for name, share in each.shares.items()]
        rest = 1 - sum(each.shares.values())
        parts.append(table([str(each.scenario), "of the time"], [*rows, ["the rest", f"{rest:.0%}"]]))
    return "\n\n".join(parts)
