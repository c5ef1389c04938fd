"""``python -m benchmarks``: all contestants, all scenarios; exits with 1 where a ratio is under what is held.

``--short`` takes a minute: two models, no peers, no tails, and it only prints. ``PEERS=none`` leaves the peers out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.contest import ALPHARD, NOOP, OWN, PEERS, PLAIN, Contestant
from benchmarks.environments import make_environment
from benchmarks.figure import draw
from benchmarks.lifecycle import measure_lifecycle
from benchmarks.load import WrongAnswerError
from benchmarks.machine import going_first
from benchmarks.measure import ONE_ROW, Cell, Figures, Form, run_rounds, start
from benchmarks.models import FITS, ServedModel, make_model
from benchmarks.profiles import Profile, ProfileError, measure_profiles
from benchmarks.report import ratio_table, write_report
from benchmarks.results import ModelResults, Results, broken, held_floors, ratios
from benchmarks.scale import measure_scale
from benchmarks.servers import CORES, ROOT, StartError
from benchmarks.tails import run_tails

_HERE = Path(__file__).parent
_WORK = ROOT / ".bench"
_LOGS = _WORK / "logs"
_PEERS_MODELS = ("logistic", "forest")
_EXAMPLE = "logistic"


class Plan(NamedTuple):
    """What of the whole is done."""

    form: Form
    models: Sequence[str]
    contestants: Sequence[Contestant]
    with_tails: bool
    starts: int
    requests: int


FULL = Plan(Form(5, 0.5), tuple(FITS), OWN, with_tails=True, starts=5, requests=1_000_000)
SHORT = Plan(Form(3, 0.4), _PEERS_MODELS, (ALPHARD, PLAIN, NOOP), with_tails=False, starts=1, requests=20_000)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--short", action="store_true")
    plan = SHORT if parser.parse_args().short else FULL
    models = [make_model(name, _WORK / "models") for name in plan.models]
    left_out: dict[str, str] = {}
    peers = [] if plan is SHORT or os.environ.get("PEERS") == "none" else _installed_peers(left_out)
    os.sched_setaffinity(0, {CORES.load})
    with going_first() as first:
        results = _measure(plan, models, peers, left_out)
        found = ratios(results)
        if plan is FULL:
            _say("processes and tasks")
            others = [model for model in models if model.name in _PEERS_MODELS and model.name != _EXAMPLE]
            scale = measure_scale(_example(models), others, plan.form, _LOGS)
            profiles = _profiles(_example(models), plan.form, left_out)
            (_HERE / "RESULTS.md").write_text(write_report(results, profiles, scale, found, plan.form, first=first))
            (_HERE / "results.svg").write_text(draw(results, _EXAMPLE))
    _say(ratio_table(found))
    wrong = broken(found, held_floors())
    for line in wrong:
        _say(line)
    return 1 if wrong else 0


def _installed_peers(left_out: dict[str, str]) -> list[Contestant]:
    """Those whose environments could be made; the others are added to ``left_out``."""
    installed = []
    for peer in PEERS:
        _say(f"the environment of {peer.title}")
        reason = make_environment(peer)
        if reason is None:
            installed.append(peer)
        else:
            left_out[peer.name] = reason
    return installed


def _measure(
    plan: Plan, models: Sequence[ServedModel], peers: Sequence[Contestant], left_out: dict[str, str]
) -> Results:
    _LOGS.mkdir(parents=True, exist_ok=True)
    measured = {}
    for model in models:
        _say(f"{model.name}, by {model.engine}")
        measured[model.name] = _measure_model(plan, model)
        for peer in peers if model.name in _PEERS_MODELS else ():
            _say(f"{model.name}, {peer.title}")
            try:
                with ExitStack() as stack:
                    runners = [start(stack, peer, model, plan.form, _LOGS)]
                    figures = run_rounds(runners, plan.form)
                    measured[model.name].figures.update(figures)
                    measured[model.name].tails.extend(run_tails(runners, plan.form, _capacities(figures)))
            except (StartError, WrongAnswerError, OSError) as error:
                left_out[peer.name] = f"with {model.name}: {_last_line(error)}"
    _say("start and memory")
    lifecycle = measure_lifecycle(_example(models), rounds=plan.starts, requests=plan.requests, logs=_LOGS)
    return Results(measured, lifecycle, left_out)


def _profiles(model: ServedModel, form: Form, left_out: dict[str, str]) -> list[Profile]:
    """None with a reason in ``left_out``, if there is no profiler."""
    _say("profiles")
    try:
        return measure_profiles(model, form, _LOGS)
    except ProfileError as error:
        left_out["profiles"] = str(error)
        return []


def _example(models: Sequence[ServedModel]) -> ServedModel:
    return next(model for model in models if model.name == _EXAMPLE)


def _measure_model(plan: Plan, model: ServedModel) -> ModelResults:
    with ExitStack() as stack:
        runners = [start(stack, each, model, plan.form, _LOGS) for each in plan.contestants]
        figures = run_rounds(runners, plan.form)
        tails = run_tails(runners, plan.form, _capacities(figures)) if plan.with_tails else []
    return ModelResults(model.engine, figures, tails)


def _capacities(figures: Mapping[Cell, Figures]) -> dict[str, float]:
    return {name: each.rate for (name, scenario), each in figures.items() if scenario == ONE_ROW}


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a command's own output


if __name__ == "__main__":
    sys.exit(main())
