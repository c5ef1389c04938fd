"""One, two and four processes of the service on the two cores: what they share shows in what a request costs."""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.contest import ALPHARD
from benchmarks.load import Address, closed_loop
from benchmarks.machine import on_cores
from benchmarks.measure import MANY_ROWS, ONE_ROW, Form, Runner, Scenario, start
from benchmarks.models import ServedModel
from benchmarks.servers import CORES, Server, free_port, started

COUNTS = (1, 2, 4)
SCENARIOS = (Scenario(ONE_ROW.rows, 8), Scenario(MANY_ROWS.rows, 2))
"""With so many connections for each process: how many requests share a call of the engine depends on it."""

_SETTINGS = """\
global
    nbthread 1
defaults
    mode http
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""


class Sample(NamedTuple):
    """Requests a second, and microseconds of the processor a request: of the service, the balancer, and the load."""

    rate: float
    service: float
    balancer: float
    load: float


class Fleet(NamedTuple):
    """So many processes, among which requests are shared out: one sample a round."""

    scenario: Scenario
    shared_out_by: str
    processes: int
    samples: list[Sample]

    @property
    def median(self) -> Sample:
        return Sample(*map(statistics.median, zip(*self.samples, strict=True)))


class Fleets(NamedTuple):
    """What was measured, and by the number of processes the MiB of each (proportional set size, proc(5))."""

    measured: list[Fleet]
    mib: Mapping[int, float]


class _Way(NamedTuple):
    """How requests are shared out: where they are sent for so many processes, and what does it, if not the load."""

    name: str
    addresses: Callable[[int], list[Address]]
    balancer: Server | None


def measure_processes(model: ServedModel, form: Form, logs: Path) -> Fleets:
    """Servers, load and HAProxy, if there is one, have both cores together. Raises StartError or WrongAnswerError."""
    form = form._replace(scenarios=SCENARIOS)
    with ExitStack() as stack:
        runners: list[Runner] = []
        mib = {}
        for count in COUNTS:
            runners += [start(stack, ALPHARD, model, form, logs, cores=CORES.all) for _ in range(count - len(runners))]
            mib[count] = statistics.mean(each.server.proportional_mib() for each in runners)
        ways = [_Way("the load", lambda count: [each.server.address for each in runners[:count]], None)]
        # In the environment that the Makefile makes, or on the machine.
        program = shutil.which("haproxy", path=str(Path(sys.executable).parent)) or shutil.which("haproxy")
        if program is not None:
            ways.append(_by_haproxy(stack, program, runners, logs))
        stack.enter_context(on_cores(CORES.all))
        found = [
            (way, Fleet(scenario, way.name, count, [])) for scenario in SCENARIOS for way in ways for count in COUNTS
        ]
        for _ in range(form.rounds):
            for way, fleet in found:
                fleet.samples.append(_sample(fleet, way, runners[: fleet.processes], form.seconds))
    return Fleets([fleet for _, fleet in found], mib)


def _sample(fleet: Fleet, way: _Way, runners: Sequence[Runner], seconds: float) -> Sample:
    requests, answers = runners[0].checked[fleet.scenario.rows]
    before = _used(runners, way)
    connections = fleet.scenario.connections * fleet.processes
    load = closed_loop(way.addresses(fleet.processes), requests, answers, connections=connections, seconds=seconds)
    used = (now - then for now, then in zip(_used(runners, way), before, strict=True))
    return Sample(load.rate, *(each / len(load.latencies) * 1e6 for each in used))


def _used(runners: Sequence[Runner], way: _Way) -> tuple[float, float, float]:
    """Seconds of the processor until now: of the service, of the balancer, of this process."""
    service = sum(each.server.processor_seconds() for each in runners)
    return service, way.balancer.processor_seconds() if way.balancer else 0.0, time.process_time()


def _by_haproxy(stack: ExitStack, program: str, runners: Sequence[Runner], logs: Path) -> _Way:
    """Started until the stack ends, with a port for each number of processes. Raises StartError."""
    ports = {count: free_port() + i for i, count in enumerate(COUNTS)}
    settings = logs / "haproxy.cfg"
    settings.write_text("\n".join([_SETTINGS, *(_listen(ports[count], runners[:count]) for count in COUNTS)]))
    running = started(
        [program, "-db", "-f", str(settings)],
        {},
        runners[0].checked[ONE_ROW.rows][0][0],
        log=logs / "haproxy.log",
        port=ports[COUNTS[0]],
        cores=CORES.all,
    )
    return _Way("HAProxy", lambda count: [("127.0.0.1", ports[count])], stack.enter_context(running))


def _listen(port: int, runners: Sequence[Runner]) -> str:
    """A section of HAProxy's configuration; it shares out in turn unless told otherwise."""
    servers = [f"    server s{i} {':'.join(map(str, each.server.address))}" for i, each in enumerate(runners)]
    return "\n".join([f"listen of{len(runners)}", f"    bind 127.0.0.1:{port}", *servers, ""])
