"""The monthly estimate of an environment by resource, from its templates alone: no account, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stacks import prices
from stacks.assembly import Resource
from stacks.charges import FREE, PRICED, Charge
from stacks.errors import CommandError
from stacks.prices import Price
from stacks.site import Site
from stacks.traffic import ASSUMPTIONS, Traffic


class Line(NamedTuple):
    """One resource at one price: how many units in a month, idle and under load."""

    resource: str
    price: Price
    idle: float
    load: float

    @property
    def idle_usd(self) -> float:
        return self.idle * self.price.usd

    @property
    def load_usd(self) -> float:
        return self.load * self.price.usd


class Estimate(NamedTuple):
    """US dollars a month, at no request at all and at ``requests_per_second``; the dearest line under load first.

    ``tasks`` are how many run at either; one bears ``requests_per_task`` a second before the scaling adds another.
    """

    lines: Sequence[Line]
    requests_per_second: float
    tasks: tuple[int, int]
    requests_per_task: float | None

    @property
    def idle_usd(self) -> float:
        return sum(line.idle_usd for line in self.lines)

    @property
    def load_usd(self) -> float:
        return sum(line.load_usd for line in self.lines)


def estimate(resources: Sequence[Resource], requests_per_second: float) -> Estimate:
    """Raises CommandError for a resource of a type that is neither priced nor known to be free."""
    idle_site, load_site = (Site(resources, Traffic(rate)) for rate in (0.0, requests_per_second))
    idle, load = _sum(charges(idle_site)), _sum(charges(load_site))
    lines = [Line(*key, idle.get(key, 0.0), load.get(key, 0.0)) for key in {**idle, **load}]
    found = [line for line in lines if line.idle or line.load]
    return Estimate(
        sorted(found, key=lambda line: (-line.load_usd, line.resource)),
        requests_per_second,
        (idle_site.tasks, load_site.tasks),
        load_site.requests_per_task,
    )


def charges(site: Site) -> Iterator[Charge]:
    """What every resource is charged. Raises CommandError as ``estimate`` does."""
    by_type: dict[str, list[Resource]] = {}
    for resource in site.resources:
        by_type.setdefault(resource.type, []).append(resource)
    if unknown := sorted(by_type.keys() - PRICED.keys() - FREE):
        raise CommandError(f"{unknown[0]} is neither priced nor known to be free: say which in stacks/charges.py")
    for kind, found in by_type.items():
        if kind in PRICED:
            yield from PRICED[kind](site, found)


def table(name: str, found: Estimate) -> str:
    """The estimate for a person to read."""
    rate = f"at {found.requests_per_second:g}/s"
    rows = [(name, "price", "unit", "idle", "USD", rate, "USD")]
    for line in found.lines:
        price, unit = f"{line.price.usd:.7f}".rstrip("0").rstrip("."), line.price.unit
        row = (
            line.resource,
            price,
            unit,
            _count(line.idle),
            _usd(line.idle_usd),
            _count(line.load),
            _usd(line.load_usd),
        )
        rows.append(row)
    rows.append(("total a month", "", "", "", _usd(found.idle_usd), "", _usd(found.load_usd)))
    return "\n".join([*_aligned(rows), *_task_line(found, rate)])


def _task_line(found: Estimate, rate: str) -> Iterator[str]:
    idle, load = found.tasks
    if load:
        each = found.requests_per_task
        why = f": the scaling adds one for each {each:,.0f} requests a second, within its bounds" if each else ""
        yield f"{idle} task{'s' if idle != 1 else ''} idle, {load} {rate}{why}"


def assumptions() -> str:
    """What every estimate rests on, a line each."""
    dates = sorted({price.as_of for price in vars(prices).values() if isinstance(price, Price)})
    region = f"list prices of {prices.REGION}, known from {dates[0]} to {dates[-1]}: stacks/prices.py has the sources"
    return "\n".join(f"- {line}" for line in (region, *ASSUMPTIONS))


def _sum(found: Iterator[Charge]) -> dict[tuple[str, Price], float]:
    total: dict[tuple[str, Price], float] = {}
    for charge in found:
        key = charge.resource, charge.price
        total[key] = total.get(key, 0.0) + charge.quantity
    return total


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words = zip(row, widths, range(len(row)), strict=True)
        yield "  ".join(
            word.ljust(width) if place in (0, 2) else word.rjust(width) for word, width, place in words
        ).rstrip()


def _count(quantity: float) -> str:
    return f"{quantity:,.0f}" if quantity >= 100 or quantity == int(quantity) else f"{quantity:,.2f}"


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"
