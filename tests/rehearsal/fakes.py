"""A balancer and tasks that do in virtual time what a test tells them, and note what was asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NamedTuple

from rehearsal.deployed import (
    Deployed,
    HealthCheck,
    LoadBalancer,
    ServiceDefinition,
    Strategy,
    TargetGroup,
    TaskDefinition,
)
from rehearsal.ecs import Group, Service, TargetHealth
from rehearsal.health import Verdict
from rehearsal.task import Ended
from rehearsal.timeline import TaskState, Timeline
from tests.rehearsal.virtual import run


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


ROLLING = Strategy("ROLLING")


def definition(tag: str = "aaaaaaaaaa", *, health_check: HealthCheck | None = None) -> TaskDefinition:
    return TaskDefinition(
        image=f"registry/alphard:{tag}",
        command=("python", "-m", "service", "serve"),
        environment={},
        port=8000,
        stop_timeout_seconds=60,
        health_check=health_check,
        cpu_units=512,
        memory_mib=1024,
        role=(),
    )


def deployed(
    *,
    tasks: int = 2,
    minimum_healthy_percent: int = 100,
    maximum_percent: int = 200,
    circuit_breaker: bool = True,
    rolls_back: bool = True,
    grace_seconds: float = 20,
    delay_seconds: float = 30,
    strategy: Strategy = ROLLING,
) -> Deployed:
    return Deployed(
        "dev",
        definition(),
        ServiceDefinition(
            tasks,
            4 * tasks,
            minimum_healthy_percent,
            maximum_percent,
            circuit_breaker,
            rolls_back,
            grace_seconds,
            strategy,
        ),
        TargetGroup("/ready", frozenset({200}), 5, 4, 2, 2, delay_seconds, "round_robin"),
        LoadBalancer(60, ()),
    )


class FakeTask:
    """Ready ``ready_seconds`` after its start, or never; ends by itself ``life_seconds`` after it, or never.

    It takes ``drain_seconds`` from SIGTERM to its end.
    """

    def __init__(
        self, name: str, definition: TaskDefinition, ready_seconds: float, life_seconds: float, drain_seconds: float
    ) -> None:
        self.name = name
        self.definition = definition
        self.address = f"127.40.1.{name}"
        self.health: Verdict = "UNKNOWN"
        self.started_at = now()
        self.ready_at = now() + ready_seconds
        self.ends_at = now() + life_seconds
        self.terminated_at: float | None = None
        self.frozen = False
        self._drain_seconds = drain_seconds

    @property
    def alive(self) -> bool:
        return now() < self.ends_at

    @property
    def answers(self) -> bool:
        return self.alive and not self.frozen and now() >= self.ready_at

    async def terminate(self) -> Ended:
        self.terminated_at = now()
        self.ends_at = min(self.ends_at, now() + self._drain_seconds)
        await asyncio.sleep(max(0.0, self.ends_at - now()))
        return Ended(0, killed=False)

    def kill(self) -> None:
        self.ends_at = min(self.ends_at, now())

    def freeze(self) -> None:
        self.frozen = True


class Release:
    """How the tasks of a tag behave."""

    def __init__(self, ready_seconds: float = 3, life_seconds: float = 1e9, drain_seconds: float = 1) -> None:
        self.ready_seconds = ready_seconds
        self.life_seconds = life_seconds
        self.drain_seconds = drain_seconds


class World:
    """The balancer, and where tasks are started; ``events`` are what was done to targets and weights, and when."""

    def __init__(self, **releases: Release) -> None:
        self.releases = releases
        self.tasks: list[FakeTask] = []
        self.events: list[tuple[float, str]] = []
        self._draining: set[str] = set()

    async def launch(self, definition: TaskDefinition) -> FakeTask:
        how = self.releases.get(definition.tag, Release())
        name = str(len(self.tasks) + 1)
        task = FakeTask(name, definition, how.ready_seconds, how.life_seconds, how.drain_seconds)
        self.tasks.append(task)
        return task

    async def register(self, group: Group, address: str, port: int) -> str:
        assert port == 8000
        name = address.rpartition(".")[2]
        self._note(f"register {name} in {group}")
        return name

    async def deregister(self, target: str) -> None:
        self._draining.add(target)
        self._note(f"deregister {target}")

    async def remove(self, target: str) -> None:
        self._note(f"remove {target}")

    async def health(self, target: str) -> TargetHealth:
        if target in self._draining:
            return "draining"
        return "healthy" if self.tasks[int(target) - 1].answers else "unhealthy"

    async def weigh(self, weights: Mapping[str, float]) -> None:
        self._note("weigh " + " ".join(f"{group}={percent:g}" for group, percent in sorted(weights.items())))

    def _note(self, what: str) -> None:
        self.events.append((now(), what))


class Stage(NamedTuple):
    world: World
    service: Service
    timeline: Timeline

    def since(self, task: str, state: TaskState) -> float:
        """When the task came into the state first."""
        return next(seconds for seconds, entered in self.timeline.lives[task].states if entered == state)

    def states(self, task: str) -> list[TaskState]:
        return [state for _, state in self.timeline.lives[task].states]

    def moments(self) -> list[str]:
        return [moment.text for moment in self.timeline.moments]

    def most_and_fewest(self, after: float) -> tuple[int, int]:
        """The largest number of tasks that were started and not ending, and the smallest of ready ones, since then."""
        times = {seconds for life in self.timeline.lives.values() for seconds, _ in life.states if seconds >= after}
        counts = [self._count(seconds) for seconds in sorted(times)[:-1]]  # at the last, the service is closed
        return max(running for running, _ in counts), min(ready for _, ready in counts)

    def _count(self, at: float) -> tuple[int, int]:
        states = [
            [state for seconds, state in life.states if seconds <= at][-1]
            for life in self.timeline.lives.values()
            if life.states[0][0] <= at
        ]
        return sum(state in ("starting", "ready", "unhealthy") for state in states), states.count("ready")


def play(
    scene: Callable[[Stage], Awaitable[None]],
    deployment: Deployed | None = None,
    *,
    order: Literal["drain first", "SIGTERM first"] = "drain first",
    **releases: Release,
) -> Stage:
    """Plays it on a service that is steady, in virtual time; everything has ended when it returns."""

    async def main() -> Stage:
        world, timeline = World(**releases), Timeline(asyncio.get_running_loop().time)
        service = Service(deployment or deployed(), world, world.launch, timeline, order=order)
        stage = Stage(world, service, timeline)
        try:
            await service.create()
            await scene(stage)
        finally:
            await service.close()
        return stage

    return run(main())
