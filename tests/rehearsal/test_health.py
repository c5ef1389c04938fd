"""A container's own health check, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from rehearsal.deployed import HealthCheck
from rehearsal.health import ContainerHealth, Verdict
from tests.rehearsal.virtual import run

LATER = 0.5
"""Seconds by which the test looks later than anything happens."""


def verdicts(
    check: HealthCheck, *passes: bool, seconds: float = 0, life_seconds: float = 1e9
) -> list[tuple[float, Verdict]]:
    """What the verdict became, and when, if each check takes so long and the last result goes on for ever."""
    results = list(passes)

    async def passing() -> bool:
        await asyncio.sleep(seconds)
        return results.pop(0) if len(results) > 1 else results[0]

    async def main() -> list[tuple[float, Verdict]]:
        clock = asyncio.get_running_loop().time
        health = ContainerHealth(check, passing)
        watch = asyncio.create_task(health.watch(lambda: clock() < life_seconds))
        seen = [(0.0, health.verdict)]
        await asyncio.sleep(LATER)
        while clock() < 200 and not watch.done():
            if health.verdict != seen[-1][1]:
                seen.append((clock() - LATER, health.verdict))
            await asyncio.sleep(1)
        watch.cancel()
        return seen

    return run(main())


@pytest.mark.parametrize("interval", [15, 40])
def test_it_is_unknown_until_an_interval_has_passed(interval: float) -> None:
    assert verdicts(HealthCheck((), interval, 5, 3, 30), True) == [(0, "UNKNOWN"), (interval, "HEALTHY")]


@pytest.mark.parametrize(("retries", "start_period", "at"), [(3, 0, 30), (2, 0, 20), (3, 35, 60), (1, 35, 40)])
def test_so_many_failures_in_a_row_after_the_start_period_make_it_unhealthy(
    retries: int, start_period: float, at: float
) -> None:
    check = HealthCheck((), 10, 5, retries, start_period)
    assert verdicts(check, False) == [(0, "UNKNOWN"), (at, "UNHEALTHY")]


def test_once_it_passed_failures_count_in_the_start_period_too() -> None:
    seen = verdicts(HealthCheck((), 10, 5, 2, 1000), False, False, True, False, False)
    assert seen == [(0, "UNKNOWN"), (30, "HEALTHY"), (50, "UNHEALTHY")]


def test_a_success_between_failures_lets_them_count_anew() -> None:
    seen = verdicts(HealthCheck((), 10, 5, 2, 0), True, False, True, False, True, False, False)
    assert seen == [(0, "UNKNOWN"), (10, "HEALTHY"), (70, "UNHEALTHY")]


@pytest.mark.parametrize(("timeout", "at"), [(5, 30), (2, 24)])
def test_a_check_that_takes_too_long_has_failed_and_the_interval_comes_after_it(timeout: float, at: float) -> None:
    check = HealthCheck((), 10, timeout, 2, 0)
    assert verdicts(check, True, seconds=60) == [(0, "UNKNOWN"), (at, "UNHEALTHY")]


def test_a_container_that_has_ended_is_checked_no_more() -> None:
    assert verdicts(HealthCheck((), 10, 5, 3, 0), False, life_seconds=25) == [(0, "UNKNOWN")]
