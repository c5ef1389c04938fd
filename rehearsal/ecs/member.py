"""A task as the service's scheduler sees it, and the revision that it belongs to."""

from __future__ import annotations

import asyncio
from typing import Protocol

from rehearsal.deployed import TaskDefinition
from rehearsal.ecs.balancer import Group, TargetHealth
from rehearsal.ecs.breaker import Failures
from rehearsal.health import Verdict
from rehearsal.task import Ended
from rehearsal.timeline import TaskState, Timeline


class Running(Protocol):
    """A started task: ``rehearsal.task.Task``. A scene may kill or freeze it at any moment."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def alive(self) -> bool: ...
    @property
    def health(self) -> Verdict: ...
    async def terminate(self) -> Ended: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...


class Revision:
    """A release in the service: what its tasks are started from, where they are registered, and how many it wants.

    It has ``failed`` when the circuit breaker says so, and after a failed start the next waits until
    ``next_start_at``, on the loop's clock.
    """

    def __init__(self, definition: TaskDefinition, release: str, group: Group, wanted: int) -> None:
        self.definition = definition
        self.release = release
        self.group: Group = group
        self.wanted = wanted
        self.failures = Failures()
        self.failed = False
        self.next_start_at = 0.0


class Member:
    """A task of the service. ``faulty`` is one that has to be replaced, ``ending`` what ends it, once that began."""

    def __init__(self, task: Running, revision: Revision, target: str, started_at: float, timeline: Timeline) -> None:
        self.task = task
        self.revision = revision
        self.target = target
        self.started_at = started_at
        self.state: TaskState = "starting"
        self.was_ready = False
        self.faulty = False
        self.ending: asyncio.Task[None] | None = None
        self._timeline = timeline
        timeline.enter(task.name, revision.release, "starting")

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def release(self) -> str:
        return self.revision.release

    @property
    def ready(self) -> bool:
        return self.state == "ready"

    def enter(self, state: TaskState) -> None:
        """Nothing comes after ``stopped``."""
        if self.state != "stopped":
            self.state = state
            self._timeline.enter(self.name, self.release, state)

    def judge(self, target: TargetHealth, *, in_grace: bool) -> None:
        """Ready, or to be replaced, or neither yet.

        Both checks must pass where the container has one of its own ("the load balancer target group health check to
        return a healthy status" and the container's: minimumHealthyPercent in
        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html). In the grace
        period the scheduler ignores either's failure (healthCheckGracePeriodSeconds in API_Service.html there).
        """
        own = self.task.health
        fails = target == "unhealthy" or own == "UNHEALTHY"
        if target == "healthy" and own == ("HEALTHY" if self.revision.definition.health_check else "UNKNOWN"):
            self.was_ready, self.faulty = True, False
            self.enter("ready")
        elif fails and (self.was_ready or not in_grace):
            self.faulty = not in_grace
            self.enter("unhealthy")
