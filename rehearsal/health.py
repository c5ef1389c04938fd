"""A container's own health check, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from rehearsal.deployed import HealthCheck

Verdict = Literal["HEALTHY", "UNHEALTHY", "UNKNOWN"]
"""UNKNOWN until a check has passed or too many have failed, and for ever where there is no check.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
"""


class ContainerHealth:
    """Checks first when an interval has passed, and then an interval after each check, as Docker does.

    ``passes`` runs the check once. What fails in the start period is not counted, until one has passed; so many
    failures in a row as there are retries make it UNHEALTHY, and one success HEALTHY.

    https://docs.docker.com/reference/dockerfile/#healthcheck, from which ECS takes its parameters.
    """

    def __init__(self, check: HealthCheck, passes: Callable[[], Awaitable[bool]]) -> None:
        self.verdict: Verdict = "UNKNOWN"
        self._check = check
        self._passes = passes
        self._failures = 0

    async def watch(self, alive: Callable[[], bool]) -> None:
        """Checks as long as the container is alive."""
        clock = asyncio.get_running_loop().time
        started_at = clock()
        await asyncio.sleep(self._check.interval_seconds)
        while alive():
            since_seconds = clock() - started_at
            self._count(await self._passes_in_time(), since_seconds)
            await asyncio.sleep(self._check.interval_seconds)

    async def _passes_in_time(self) -> bool:
        try:
            async with asyncio.timeout(self._check.timeout_seconds):
                return await self._passes()
        except TimeoutError:
            return False

    def _count(self, passed: bool, since_seconds: float) -> None:
        if passed:
            self._failures = 0
            self.verdict = "HEALTHY"
        elif self.verdict != "UNKNOWN" or since_seconds >= self._check.start_period_seconds:
            self._failures += 1
            if self._failures >= self._check.retries:
                self.verdict = "UNHEALTHY"
