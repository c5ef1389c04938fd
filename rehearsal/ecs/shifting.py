"""How traffic goes over from one group of targets to the other, for the strategies other than rolling."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator

from rehearsal.deployed import Strategy
from rehearsal.ecs.balancer import Balancer
from rehearsal.ecs.member import Revision
from rehearsal.timeline import Timeline


def steps(strategy: Strategy) -> Iterator[float]:
    """Percent of the traffic that the new release has after each step; the last is 100.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/canary-deployment.html: two steps;
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-linear.html: equal ones.
    """
    if strategy.kind == "LINEAR":
        for number in range(1, math.ceil(100 / strategy.step_percent)):
            yield number * strategy.step_percent
    elif strategy.kind == "CANARY":
        yield strategy.step_percent
    yield 100


async def shift(old: Revision, new: Revision, strategy: Strategy, balancer: Balancer, timeline: Timeline) -> None:
    """Moves all traffic to the new revision, step by step, and lets it bake there."""
    for percent in steps(strategy):
        await weigh(old, new, percent, balancer, timeline)
        await asyncio.sleep(strategy.step_seconds if percent < 100 else strategy.bake_seconds)


async def weigh(old: Revision, new: Revision, percent: float, balancer: Balancer, timeline: Timeline) -> None:
    """Gives so much of the traffic to the new revision, and the rest to the old one."""
    await balancer.weigh({new.group: percent, old.group: 100 - percent})
    timeline.mark(f"{percent:g}% to {new.release}" if percent else f"all traffic back to {old.release}")
