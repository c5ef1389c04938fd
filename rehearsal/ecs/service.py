"""A service: so many tasks of one release, and the way from one release to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from rehearsal.deployed import Deployed, TaskDefinition
from rehearsal.ecs.balancer import Balancer, Group
from rehearsal.ecs.ending import Order
from rehearsal.ecs.member import Member, Revision, Running
from rehearsal.ecs.scheduler import TICK_SECONDS, Scheduler
from rehearsal.ecs.shifting import shift, weigh
from rehearsal.errors import RehearsalError
from rehearsal.timeline import Timeline

Outcome = Literal["completed", "rolled back", "failed"]
_OTHER: dict[Group, Group] = {"blue": "green", "green": "blue"}


class Service:
    """Behaves as ECS says it does; every method must be called in one event loop, whose clock it goes by.

    ``launch`` starts a task, such as by ``rehearsal.fargate.Fargate``. A release is called by the first seven
    characters of its image's tag in the timeline, or as the caller calls it. Anything that the balancer or ``launch``
    raises comes out of the method that is waiting then, or out of ``close``.
    """

    def __init__(
        self,
        deployed: Deployed,
        balancer: Balancer,
        launch: Callable[[TaskDefinition], Awaitable[Running]],
        timeline: Timeline,
        *,
        order: Order = "drain first",
    ) -> None:
        self._task = deployed.task
        self._definition = deployed.service
        self._balancer = balancer
        self._timeline = timeline
        self._scheduler = Scheduler(deployed, balancer, launch, timeline, order)
        self._running: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> list[Member]:
        """Those that have not ended, oldest first, with their states. A scene may kill or freeze ``.task`` of one."""
        return [member for member in self._scheduler.members if member.state != "stopped"]

    @property
    def steady(self) -> bool:
        """Whether the tasks that are desired are ready, of one release, and no other is left."""
        return self._scheduler.steady

    async def create(self, *, release: str | None = None) -> None:
        """Starts the tasks and returns when the service is steady; RehearsalError if the circuit breaker trips."""
        first = self._revision(self._task, release, "blue")
        await self._balancer.weigh({"blue": 100, "green": 0})
        self._scheduler.begin(first)
        self._running = asyncio.create_task(self._scheduler.run())
        await self._until(lambda: first.failed or self._scheduler.settled)
        if first.failed:
            raise RehearsalError(f"the service cannot start: tasks of {first.release} fail")
        self._scheduler.complete()
        self._timeline.mark(f"steady with {self._scheduler.desired} tasks of {first.release}")

    async def deploy(self, task: TaskDefinition, *, release: str | None = None) -> Outcome:
        """Takes the service over to another release; returns when it is steady, or has failed and nothing is undone.

        With a circuit breaker that has tripped, the last completed release is deployed again if the service rolls back
        (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html); without the
        breaker ECS tries for ever, and so does this.
        """
        old = self._scheduler.primary
        if self._definition.strategy.kind == "ROLLING":
            new = self._revision(task, release, old.group)
            self._scheduler.begin(new)
            await self._until(lambda: new.failed or self._scheduler.steady)
        else:
            new = self._revision(task, release, _OTHER[old.group])
            self._scheduler.begin(new, beside=True)
            await self._shift(old, new)
        if new.failed:
            return await self._fail(old, new)
        await self._until(lambda: self._scheduler.steady)
        self._scheduler.complete()
        self._timeline.mark(f"deployment of {new.release} completed")
        return "completed"

    async def scale(self, desired: int) -> None:
        """Wants so many tasks from now on; returns when they are ready, and those that are too many have ended."""
        self._timeline.mark(f"desired tasks: {desired}, before {self._scheduler.desired}")
        self._scheduler.scale(desired)
        await self._until(lambda: self._scheduler.settled)

    async def close(self) -> None:
        """Ends everything at once."""
        endings = [member.ending for member in self._scheduler.members if member.ending]
        loops = [*endings, *([self._running] if self._running else [])]
        for loop in loops:
            loop.cancel()
        results = await asyncio.gather(*loops, return_exceptions=True)
        for member in self._scheduler.members:
            member.task.kill()
            member.enter("stopped")
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _revision(self, task: TaskDefinition, release: str | None, group: Group) -> Revision:
        revision = Revision(task, release or task.tag[:7], group, self._scheduler.desired)
        self._timeline.mark(f"deployment of {revision.release} begins")
        return revision

    async def _shift(self, old: Revision, new: Revision) -> None:
        """All tasks of the new revision are there before it gets traffic; a failure ends the shift where it is."""
        await self._until(lambda: new.failed or self._scheduler.full(new))
        if new.failed:
            return
        new.failures.kept = True
        shifting = asyncio.create_task(shift(old, new, self._definition.strategy, self._balancer, self._timeline))
        try:
            await self._until(lambda: new.failed or shifting.done())
            if not new.failed:
                shifting.result()
                self._scheduler.prefer(new)
        finally:
            shifting.cancel()
            await asyncio.gather(shifting, return_exceptions=True)

    async def _fail(self, old: Revision, new: Revision) -> Outcome:
        """Traffic that has gone over goes back before any of the new tasks ends."""
        if not self._definition.rolls_back:
            self._scheduler.give_up(new)
            return "failed"
        self._timeline.mark(f"rollback to {old.release} begins")
        if new.failures.kept:
            await weigh(old, new, 0, self._balancer, self._timeline)
        self._scheduler.give_up(new)
        self._scheduler.prefer(old)
        await self._until(lambda: self._scheduler.steady)
        self._scheduler.complete()
        self._timeline.mark(f"rolled back to {old.release}")
        return "rolled back"

    async def _until(self, done: Callable[[], bool]) -> None:
        """Waits until it is done, or the scheduler has failed, whose exception comes out."""
        while not done():
            if self._running is not None and self._running.done():
                self._running.result()
            await asyncio.sleep(TICK_SECONDS)
