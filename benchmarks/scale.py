"""Beyond one process on one core: measured, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.markdown import table
from benchmarks.measure import Form
from benchmarks.models import ServedModel
from benchmarks.processes import COUNTS, Fleet, Fleets, measure_processes
from benchmarks.tasks import GB_PER_VCPU, SCENARIOS, SHARES, Offer, Tasks, measure_tasks, offers


class Scale(NamedTuple):
    """More processes, and tasks of other sizes."""

    fleets: Fleets
    tasks: Tasks


def measure_scale(model: ServedModel, others: Sequence[ServedModel], form: Form, logs: Path) -> Scale:
    """Of the model, and what a second core gives the others. Raises StartError or WrongAnswerError."""
    return Scale(measure_processes(model, form, logs), measure_tasks(model, others, form, logs))


def write_scale(scale: Scale) -> str:
    return f"{_processes(scale.fleets)}\n\n{_tasks(scale.tasks)}"


def _processes(fleets: Fleets) -> str:
    """What several processes on two cores did."""
    told = (
        "Of Alphard with logistic, on two cores, which servers, load and HAProxy share, so all three bound the rates."
        " If processes shared what they should not, the service's processor time a request would rise with their"
        " number by more than two busy cores do to each other's caches."
    )
    head = [
        "requests x connections of each",
        "shared out by",
        "processes",
        "requests a second",
        "service, us",
        "balancer, us",
        "load, us",
    ]
    memory = [[str(count), f"{fleets.mib[count]:.0f}"] for count in COUNTS]
    return (
        f"## One, two and four processes\n\n{told}\n\n{table(head, [_fleet(each) for each in fleets.measured])}\n\n"
        f"{table(['processes', 'MiB of each (PSS)'], memory)}"
    )


def _fleet(fleet: Fleet) -> list[str]:
    each = fleet.median
    used = [f"{microseconds:,.0f}" for microseconds in (each.service, each.balancer, each.load)]
    return [str(fleet.scenario), fleet.shared_out_by, str(fleet.processes), f"{each.rate:,.0f}", *used]


def _tasks(tasks: Tasks) -> str:
    """What tasks of Fargate's sizes do and cost, with what limits each size."""
    rows, some_rows = (f"{scenario.rows} row{'s' if scenario.rows > 1 else ''}" for scenario in SCENARIOS)
    head = ["vCPU", "GB", "tasks", f"requests a second, {rows}", some_rows, "$ a month"]
    head += [f"$ a million requests, {rows}", some_rows]
    told = (
        "The example, logistic, in a control group with a task's share of a core of this machine; one of AWS's may do"
        " more or less. Several tasks are reckoned as so many times one: the table above shows what they share."
        " Dollars are for the tasks alone, on demand, at the rate that is their capacity, all month; `make cost` adds"
        " the balancer, the logs and the rest."
    )
    return (
        f"## Tasks of Fargate\n\n{told}\n\n{table(head, [_offer(each) for each in offers(tasks.measured)])}\n\n"
        f"What limits:\n\n{_limits(tasks)}"
    )


def _offer(offer: Offer) -> list[str]:
    return [
        f"{offer.vcpus:g}",
        f"{offer.vcpus * GB_PER_VCPU:g}",
        str(offer.tasks),
        *(f"{offer.rates[each]:,.0f}" for each in SCENARIOS),
        f"{offer.usd:,.2f}",
        *(f"{offer.usd_a_million(each):.4f}" for each in SCENARIOS),
    ]


def _limits(tasks: Tasks) -> str:
    lines = [
        f"- {task.share:g} vCPU: {_limit(task.share)}. At half of its capacity, {task.tail.rate:,.0f} requests a second"
        f" of one row, p50 is {task.tail.p50:.1f} ms and p99 {task.tail.p99:.1f} ms."
        for task in tasks.measured
    ]
    lines.append(
        "- 2 and 4 vCPU: the one process of a task, in which Python runs on one core. What a second core gives it, of"
        " which the load takes a part here, is below; where that is nothing, more tasks do more and larger ones do not."
    )
    head = ["model", "requests", "a second with one core", "with two", "cores busy"]
    rows = [
        [each.model, str(each.scenario), f"{each.one:,.0f}", f"{each.two:,.0f}", f"{each.busy:.2f}"]
        for each in tasks.two_cores
    ]
    return "\n".join(lines) + "\n\n" + table(head, rows)


def _limit(share: float) -> str:
    if share < SHARES[-1]:
        return f"the share: after {share * 100:g} ms of the processor in a tenth of a second it waits for the next"
    return "the one core, which Python's one thread has to itself"
