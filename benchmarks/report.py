"""Results as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.contest import ALPHARD, BARE, OWN, PEERS
from benchmarks.markdown import table
from benchmarks.measure import Form, Scenario
from benchmarks.profiles import Profile, write_profiles
from benchmarks.results import ModelResults, Ratio, Results
from benchmarks.scale import Scale, write_scale
from benchmarks.servers import CORES
from benchmarks.tails import Tail

_TITLES = {each.name: each.title for each in (*OWN, *PEERS, BARE)}
_LIBRARIES = ("scikit-learn", "numpy", "onnxruntime", "uvicorn", "httptools", "uvloop", "orjson", "fastapi", "pydantic")
_PATIENT_BELOW = 100


def write_report(
    results: Results, profiles: Sequence[Profile], scale: Scale, found: Sequence[Ratio], form: Form, *, first: bool
) -> str:
    """The whole page; ``first`` says whether servers and load came before the machine's other work."""
    parts = [
        "# Speed, side by side",
        "Written by `make bench`, which measures all of it again.",
        _circumstances(form, first=first),
        "![Requests a second](results.svg)",
        *(_of_model(name, measured, form.scenarios) for name, measured in results.models.items()),
        _tails(results),
        _lifecycle(results),
        write_profiles(profiles) if profiles else "",
        write_scale(scale),
        _left_out(results),
        "## Alphard to the others",
        ratio_table(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def ratio_table(found: Iterable[Ratio]) -> str:
    """How many times as many requests, a second and a second of the processor."""
    rows = [
        [each.model, str(each.scenario), _TITLES[each.other], f"{each.rate:.2f}", f"{each.processor:.2f}"]
        for each in found
    ]
    return table(["model", "requests", "against", "times the requests a second", "a processor second"], rows)


def _circumstances(form: Form, *, first: bool) -> str:
    cores = (
        "Servers and load share the one core that there is: rates say little then, processor times still something."
        if CORES.are_shared
        else "Server and load have a core each."
    )
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {libraries}. {cores}\n\n"
        f"Medians of {form.rounds} rounds of {form.seconds:g} s, in which contestants take turns; peers, of which one"
        " runs at a time, have rounds of their own. Each figure: requests a second ± half of the range of"
        " the rounds, and in brackets the server's processor time a request in microseconds, which"
        " other loads of the machine disturb less. Where a server can do more than the load generator, which is one"
        " thread of Python, as the no-op app can, only processor time tells them apart. Every answer is the"
        " estimator's own prediction: each is checked by its meaning once, and byte by byte ever after. The no-op app,"
        " the plain callable and the service by hand run on Uvicorn with the settings that Alphard has."
        f" Servers and load {'came' if first else 'could not come'} before the machine's other work."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _of_model(name: str, measured: ModelResults, scenarios: Sequence[Scenario]) -> str:
    contestants = dict.fromkeys(contestant for contestant, _ in measured.figures)
    rows = [[_TITLES[each], *(_cell(measured, each, scenario) for scenario in scenarios)] for each in contestants]
    rates = table(["", *(str(scenario) for scenario in scenarios)], rows)
    return f"## {name} ({measured.engine})\n\nRows a request x connections.\n\n{rates}"


def _cell(measured: ModelResults, contestant: str, scenario: Scenario) -> str:
    each = measured.figures[contestant, scenario]
    digits = 1 if each.rate < _PATIENT_BELOW else 0
    return f"{each.rate:,.{digits}f} ±{each.spread * 50:.0f}% ({each.processor:,.0f})"


def _tails(results: Results) -> str:
    rows = [
        [name, *_tail(tail, _compared(tail, measured.tails))]
        for name, measured in results.models.items()
        for tail in measured.tails
    ]
    head = ["model", "", "requests a second", "p50, ms", "p99, ms", "of the turns", "disturbed", "times Alphard's p99"]
    told = (
        "One row a request at a constant rate, counted from when a request should have been sent: at half of each one's"
        " own capacity, and for those that can do more, at half of the capacity of the slower of Alphard and the plain"
        " callable. Medians of turns in which the load generator waited for its core less than half a percent of the"
        " time, and other processes had less than three percent of the server's; disturbed turns are tried again and"
        " do not count, unless all were. The last column compares with Alphard at the same rate, or else at half of its"
        " own capacity."
    )
    return f"## Latency\n\n{told}\n\n{table(head, rows)}"


def _tail(tail: Tail, alphard: Tail) -> list[str]:
    p99s = [each.p99 for each in tail.counted]
    return [
        _TITLES[tail.contestant],
        f"{tail.rate:,.0f}",
        f"{tail.p50:.2f}",
        f"{tail.p99:.2f}",
        f"{min(p99s):.2f} to {max(p99s):.2f}",
        f"{len(tail.turns) - len(tail.undisturbed)} of {len(tail.turns)}",
        f"{tail.p99 / alphard.p99:.2f}",
    ]


def _compared(tail: Tail, tails: Sequence[Tail]) -> Tail:
    """Alphard's at the same rate, or else at half of its own capacity."""
    ours = sorted((each for each in tails if each.contestant == ALPHARD.name), key=lambda each: each.rate)
    return next((each for each in ours if each.rate == tail.rate), ours[-1])


def _lifecycle(results: Results) -> str:
    lifecycle = results.lifecycle
    starts = [
        [_TITLES[name], f"{lifecycle.start(name):.2f}", f"{min(rounds):.2f} to {max(rounds):.2f}"]
        for name, rounds in lifecycle.starts.items()
    ]
    memory = [[f"{each.requests:,}", f"{each.mib:.0f}"] for each in lifecycle.memory]
    times = lifecycle.start(ALPHARD.name) / lifecycle.start(BARE.name)
    return (
        "## Start and memory\n\nFrom the process's start to ready, from a store on the disk; the bare app"
        f" imports FastAPI and ONNX Runtime and loads the same graph. Alphard takes {times:.2f} times as long.\n\n"
        f"{table(['', 'seconds', 'of the rounds'], starts)}\n\n{table(['after requests', 'MiB resident'], memory)}"
    )


def _left_out(results: Results) -> str:
    lines = [f"- {_TITLES.get(name, name)}: {reason}" for name, reason in results.left_out.items()]
    return "## Left out\n\n" + "\n".join(lines) if lines else ""
