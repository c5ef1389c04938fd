"""The loop behind a service: looks at every task, ends what has to go, starts what is lacking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rehearsal.deployed import Deployed, TaskDefinition
from rehearsal.ecs.balancer import Balancer
from rehearsal.ecs.breaker import failure_threshold
from rehearsal.ecs.ending import Order, bury, end
from rehearsal.ecs.member import Member, Revision, Running
from rehearsal.ecs.rolling import coming, hand_over, leaving, limits
from rehearsal.timeline import Timeline

# How often it looks. ECS takes some seconds, which nothing documents: a scene need not.
TICK_SECONDS = 0.25


class Scheduler:
    """Keeps as many tasks of each revision as it wants.

    In a rolling deployment all revisions share the limits, and those beside the primary go as the primary comes. With
    the other strategies each revision has all its tasks, and the limits, for itself ("100% scale" in
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html), until one is
    preferred.
    """

    primary: Revision

    def __init__(
        self,
        deployed: Deployed,
        balancer: Balancer,
        launch: Callable[[TaskDefinition], Awaitable[Running]],
        timeline: Timeline,
        order: Order,
    ) -> None:
        self.desired = deployed.service.minimum_tasks
        self.members: list[Member] = []
        self._definition = deployed.service
        self._rolling = deployed.service.strategy.kind == "ROLLING"
        self._delay_seconds = deployed.target_group.deregistration_delay_seconds
        self._balancer = balancer
        self._launch = launch
        self._timeline = timeline
        self._order = order
        self._revisions: list[Revision] = []
        self._watched: Revision | None = None

    def begin(self, revision: Revision, *, beside: bool = False) -> None:
        """Adds a revision, which the circuit breaker watches from now on; the primary, unless it is beside it."""
        self._revisions.append(revision)
        self._watched = revision
        if not beside:
            self.primary = revision

    def prefer(self, revision: Revision) -> None:
        """Makes it the primary, with all the tasks that are desired; no circuit breaker watches any longer."""
        self.primary = revision
        self._watched = None
        revision.wanted = self.desired
        if not self._rolling:
            for other in self._revisions:
                if other is not revision:
                    other.wanted = 0

    def give_up(self, revision: Revision) -> None:
        """Starts no more of its tasks, and ends those that are not ready."""
        revision.wanted = self._ready(revision)

    def complete(self) -> None:
        """Only the primary is left, and no longer watched."""
        self._revisions = [self.primary]
        self._watched = None

    def scale(self, desired: int) -> None:
        """Scaling out in a deployment is for both releases, since November 2025 (see ``rolling.coming``)."""
        more = max(0, desired - self.desired)
        self.desired = desired
        for revision in self._revisions:
            if revision is self.primary or not (self._rolling or revision.failed):
                revision.wanted = desired
            elif not revision.failed:
                revision.wanted += more

    def full(self, revision: Revision) -> bool:
        """Whether it has all the ready tasks that it wants."""
        return self._ready(revision) >= revision.wanted

    @property
    def settled(self) -> bool:
        """Every revision has as many tasks as it wants, all ready, and nothing else is left."""
        left = [member for member in self.members if member.state != "stopped"]
        return all(member.ready for member in left) and all(
            sum(member.revision is revision for member in left) == revision.wanted for revision in self._revisions
        )

    @property
    def steady(self) -> bool:
        """Settled, with the primary alone."""
        return self.settled and all(revision is self.primary or not revision.wanted for revision in self._revisions)

    async def run(self) -> None:
        """Runs until it is cancelled."""
        while True:
            await self._look()
            self._trip()
            await self._act()
            await asyncio.sleep(TICK_SECONDS)

    async def _look(self) -> None:
        for member in list(self.members):
            if member.ending is not None:
                self._look_at_ending(member, member.ending)
            elif not member.task.alive:
                self._look_at_dead(member)
            else:
                await self._look_at_running(member)

    def _look_at_ending(self, member: Member, ending: asyncio.Task[None]) -> None:
        if ending.done():
            ending.result()
            self.members.remove(member)
        elif not member.task.alive:
            member.enter("stopped")

    def _look_at_dead(self, member: Member) -> None:
        failures = member.revision.failures
        if not member.was_ready:
            failures.start_failed()
            member.revision.next_start_at = self._clock() + failures.delay_seconds
        elif failures.kept:
            failures.check_failed()
        self._timeline.mark(f"ECS sees that task {member.name} has ended")
        member.ending = asyncio.create_task(bury(member, self._balancer, delay_seconds=self._delay_seconds))

    async def _look_at_running(self, member: Member) -> None:
        was_ready, was_faulty = member.ready, member.faulty
        in_grace = self._clock() - member.started_at < self._definition.grace_seconds
        member.judge(await self._balancer.health(member.target), in_grace=in_grace)
        if member.ready and not was_ready:
            member.revision.failures.became_ready()
        if member.faulty and not was_faulty:
            member.revision.failures.check_failed()

    def _trip(self) -> None:
        revision = self._watched
        if revision is None or revision.failed or not self._definition.circuit_breaker:
            return
        if revision.failures.count >= failure_threshold(self.desired):
            self._timeline.mark(f"circuit breaker: {revision.failures.count} tasks failed")
            revision.failed = True

    async def _act(self) -> None:
        if self._rolling and not self.primary.failed:
            lower = limits(self._definition, self.desired).lower
            hand_over(self._revisions, self.primary, self._kept, lower)
        for revision in self._revisions:
            for member in leaving(revision, self._of(revision), room=self._room(revision)):
                self._end(member)
        for revision in self._revisions:
            if not revision.failed and self._clock() >= revision.next_start_at:
                for _ in range(coming(revision, self._of(revision), room=self._room(revision))):
                    await self._start(revision)

    def _end(self, member: Member) -> None:
        member.ending = asyncio.create_task(
            end(member, self._balancer, delay_seconds=self._delay_seconds, order=self._order)
        )

    async def _start(self, revision: Revision) -> None:
        task = await self._launch(revision.definition)
        target = await self._balancer.register(revision.group, task.address, revision.definition.port)
        self.members.append(Member(task, revision, target, self._clock(), self._timeline))

    @property
    def _kept(self) -> list[Member]:
        return [member for member in self.members if member.ending is None]

    def _of(self, revision: Revision) -> list[Member]:
        return [member for member in self._kept if member.revision is revision]

    def _ready(self, revision: Revision) -> int:
        return sum(member.ready for member in self._of(revision))

    def _room(self, revision: Revision) -> int:
        counted = self._kept if self._rolling else self._of(revision)
        return limits(self._definition, self.desired).upper - len(counted)

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()
