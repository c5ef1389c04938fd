"""What a scene is: what is at stake in it, how it is played, and on which stage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from rehearsal.balancer import Balancer
from rehearsal.client import Client
from rehearsal.deployed import Deployed, TaskDefinition
from rehearsal.difference import difference
from rehearsal.ecs import Service
from rehearsal.ecs.ending import Order
from rehearsal.ecs.shifting import steps
from rehearsal.exam import Exam
from rehearsal.fargate import Fargate
from rehearsal.models import FIRST, SECOND, Models
from rehearsal.network import Distant
from rehearsal.object_store import ObjectStore
from rehearsal.outcomes import Outcome
from rehearsal.production import Production
from rehearsal.results import SceneResult
from rehearsal.task import Image, Task
from rehearsal.timeline import Timeline
from rehearsal.traffic import traffic

LEAD_SECONDS = 3.0
"""How long traffic flows before anything happens, and after all has."""

LONGEST_SECONDS = 600.0
"""A release that fails its checks is given up after five minutes."""

CRASHING = "c" * 40
IMAGES = {CRASHING: Image(environment={"ALPHARD_SETTINGS_FILE": "/missing.toml"})}
"""An image whose settings file is not there: the service says so and exits."""


class Stage(NamedTuple):
    """A service that runs as deployed, behind a balancer, under constant traffic; and what a scene may do to it.

    ``new_tag`` and ``new_size`` are of later deployments. ``spoilt`` are the seconds between which requests are lost
    since a task was killed or frozen.
    """

    deployed: Deployed
    service: Service
    new_tag: TaskDefinition
    new_size: TaskDefinition
    store: ObjectStore
    models: Models
    client: Client
    timeline: Timeline
    spoilt: list[tuple[float, float]]


class Scene(NamedTuple):
    """``play`` says how it ended, which should be as ``expected``. ``without`` is the protection that is off.

    ``distance_seconds`` is what a byte takes between the balancer and a task.
    """

    name: str
    question: str
    play: Callable[[Stage], Awaitable[str]]
    expected: str
    order: Order = "drain first"
    rate: float = 100.0
    distance_seconds: float = 0
    without: str | None = None
    change: Callable[[Deployed], Deployed] = lambda deployed: deployed


async def perform(scene: Scene, production: Production, folder: Path) -> SceneResult:
    """Sets the stage in the folder, plays the scene under traffic, and takes everything down."""
    deployed = scene.change(production.deployed)
    timeline = Timeline()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(ObjectStore())
        models = production.models
        await store.fill(models.bucket, {**models.objects(FIRST, SECOND), **models.pointing(FIRST)})
        balancer = await stack.enter_async_context(
            Balancer.start(folder, deployed.load_balancer, deployed.target_group)
        )
        fargate = stack.enter_context(Fargate(folder, images=IMAGES))

        async def launch(definition: TaskDefinition) -> Task:
            credentials = await _assume(definition, store)
            return fargate.launch(definition, credentials)

        way = Distant(balancer, scene.distance_seconds, stack) if scene.distance_seconds else balancer
        service = Service(deployed, way, launch, timeline, order=scene.order)
        stack.push_async_callback(service.close)
        await service.create()
        timeline.begin()
        client = Client(balancer.port, Exam.read(production.exam), timeline.started_at)
        sender = await stack.enter_async_context(
            traffic(folder, port=balancer.port, rate=scene.rate, started_at=timeline.started_at, exam=production.exam)
        )

        def release(task: TaskDefinition) -> TaskDefinition:
            return scene.change(production.deployed._replace(task=task)).task

        stage = Stage(
            deployed,
            service,
            release(production.new_tag),
            release(production.new_size),
            store,
            models,
            client,
            timeline,
            [],
        )
        await asyncio.sleep(LEAD_SECONDS)
        found = await ending(scene, stage)
        await asyncio.sleep(LEAD_SECONDS)
        seconds = timeline.now()
        outcomes = sorted([*await sender.stop(), *client.outcomes], key=lambda each: each[:2])
    return SceneResult(
        name=scene.name,
        question=scene.question,
        without=scene.without,
        setting=difference(production.deployed, deployed),
        order=scene.order,
        rate=scene.rate,
        timeline=timeline.document(),
        outcomes=outcomes,
        allowed_to_fail=_spoilt(outcomes, stage.spoilt),
        expected=scene.expected,
        found=found,
        seconds=seconds,
        harmed=bool(stage.spoilt),
    )


async def ending(scene: Scene, stage: Stage) -> str:
    """How it ended. What a deployment spends on shifting traffic comes on top of the scene's time."""
    strategy = stage.deployed.service.strategy
    shifting = strategy.bake_seconds + strategy.step_seconds * len([*steps(strategy)])
    try:
        async with asyncio.timeout(LONGEST_SECONDS + shifting):
            return await scene.play(stage)
    except TimeoutError:
        return f"not over after {LONGEST_SECONDS + shifting:g} s"


async def _assume(definition: TaskDefinition, store: ObjectStore) -> dict[str, str]:
    """Variables by which a task has the role of its definition."""
    access_key = f"ROLE{sha256(repr(definition.role).encode()).hexdigest()[:16].upper()}"
    await store.allow(access_key, definition.role)
    return store.environment(access_key)


def _spoilt(outcomes: Sequence[Outcome], spans: Sequence[tuple[float, float]]) -> int:
    """How many of those that failed were under way, or sent, within one of these spans."""
    return sum(
        each.kind != "answered"
        and any(each.intended_at <= end and each.intended_at + each.latency_seconds >= start for start, end in spans)
        for each in outcomes
    )
