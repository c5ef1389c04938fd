"""Test tools: a balancer with targets around it, and how to wait for what one says of another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from rehearsal.balancer import Balancer, Health
from rehearsal.deployed import FixedAnswer, LoadBalancer, TargetGroup
from tests.rehearsal.targets import Client, Target, running

GROUP = TargetGroup(
    health_path="/health",
    health_statuses=frozenset({200}),
    interval_seconds=0.1,
    timeout_seconds=0.1,
    healthy_count=3,
    unhealthy_count=2,
    deregistration_delay_seconds=1,
    algorithm="round_robin",
)
NEVER_UNHEALTHY = GROUP._replace(unhealthy_count=10_000)
NO_TARGET = (503, "503 No target")
REFUSED = (502, "502 Bad Gateway")

Test = Callable[["Scene"], Awaitable[None]]


class Scene:
    """A balancer, targets on addresses of their own, and how to wait for what one says of another."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._balancers = 0
        self._targets = 0

    async def balancer(
        self,
        target_group: TargetGroup = GROUP,
        *,
        idle_timeout_seconds: float = 60,
        fixed_answers: tuple[FixedAnswer, ...] = (),
    ) -> Balancer:
        self._balancers += 1
        folder = self.folder / str(self._balancers)
        folder.mkdir()
        load_balancer = LoadBalancer(idle_timeout_seconds, fixed_answers)
        return await self._stack.enter_async_context(Balancer.start(folder, load_balancer, target_group))

    async def target(self, name: str) -> Target:
        self._targets += 1
        return await self._stack.enter_async_context(running(name, f"127.0.{self._targets}.1"))

    async def healthy(self, balancer: Balancer, *targets: Target, group: str = "blue") -> list[str]:
        """Their names, when all of them are in service."""
        names = [await balancer.register(group, target.address, target.port) for target in targets]
        for name in names:
            await becomes(balancer, name, "healthy")
        return names


def scene(test: Test) -> Callable[[Path], None]:
    def run(tmp_path: Path) -> None:
        async def play() -> None:
            async with asyncio.timeout(30), AsyncExitStack() as stack:
                await test(Scene(tmp_path, stack))

        asyncio.run(play())

    return run


async def becomes(balancer: Balancer, name: str, health: Health) -> None:
    while await balancer.health(name) != health:
        await asyncio.sleep(0.01)


async def fails(asking: Client) -> bool:
    """By a status, or by the end of the connection, as HAProxy prefers on one that has brought answers before."""
    try:
        status, _ = await asking.answer()
    except asyncio.IncompleteReadError:
        return True
    return status == 502


async def until(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.01)
