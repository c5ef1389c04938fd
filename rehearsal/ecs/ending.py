"""How a task ends: in the order that AWS documents, and in the one that users report."""

from __future__ import annotations

import asyncio
from typing import Literal

from rehearsal.ecs.balancer import Balancer
from rehearsal.ecs.member import Member

Order = Literal["drain first", "SIGTERM first"]
# How long a task that has had SIGTERM stays registered: users saw 502s for 3 to 5 seconds from a service that ended at
# once (https://github.com/aws/containers-roadmap/issues/708), so requests came for some seconds after SIGTERM.
STILL_REGISTERED_SECONDS = 2.0


async def end(member: Member, balancer: Balancer, *, delay_seconds: float, order: Order) -> None:
    """Returns when the process has ended and the target is gone; ``delay_seconds`` is the deregistration delay.

    Documented, for deployments and scaling in: ECS deregisters the target, waits until it is "unused", which is after
    the deregistration delay, and then sends SIGTERM
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html). The balancer's
    own guide has a target without a connection finish at once, but shows it as draining until the delay has passed;
    here ECS waits for what is shown. Reported, for StopTask and on Fargate Spot: SIGTERM first, deregistered a moment
    later (aws/containers-roadmap#708 and #2673).
    """
    if order == "drain first":
        member.enter("draining")
        await _leave(member, balancer, delay_seconds)
        await _terminate(member)
    else:
        async with asyncio.TaskGroup() as both:
            both.create_task(_terminate(member))
            both.create_task(_leave_late(member, balancer, delay_seconds))


async def bury(member: Member, balancer: Balancer, *, delay_seconds: float) -> None:
    """Takes the target of a task that has ended by itself out of the balancer."""
    member.enter("stopped")
    await _leave(member, balancer, delay_seconds)


async def _leave(member: Member, balancer: Balancer, delay_seconds: float) -> None:
    await balancer.deregister(member.target)
    await asyncio.sleep(delay_seconds)
    await balancer.remove(member.target)


async def _leave_late(member: Member, balancer: Balancer, delay_seconds: float) -> None:
    await asyncio.sleep(STILL_REGISTERED_SECONDS)
    await _leave(member, balancer, delay_seconds)


async def _terminate(member: Member) -> None:
    member.enter("stopping")
    await member.task.terminate()
    member.enter("stopped")
