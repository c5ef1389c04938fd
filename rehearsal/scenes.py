"""The scenes: what happens to a service in its life, and that no client notices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

from rehearsal.client import Connection
from rehearsal.ecs import Member
from rehearsal.models import DAMAGED, FIRST, OTHER_ANSWERS, SECOND
from rehearsal.scene import CRASHING, Scene, Stage

DISTANCE_SECONDS = 0.002
"""Between zones: "single-digit millisecond latency", there and back
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html)."""

_POLL_SECONDS = 0.2
_COMPLETED, _ROLLED_BACK = "completed", "rolled back"


async def new_tag(stage: Stage) -> str:
    return await stage.service.deploy(stage.new_tag)


async def new_size(stage: Stage) -> str:
    return await stage.service.deploy(stage.new_size)


async def promotion_while_rolling(stage: Stage) -> str:
    deploying = asyncio.create_task(stage.service.deploy(stage.new_tag))
    await asyncio.sleep(8)
    await _promote(stage, SECOND)
    found = await deploying
    await _answered_by(stage, SECOND)
    return f"{found}, all answer by version {SECOND}"


async def alias_back_and_forth(stage: Stage) -> str:
    for version in (SECOND, FIRST):
        await _promote(stage, version)
        await _answered_by(stage, version)
    for version in (SECOND, FIRST, SECOND):  # faster than anybody looks
        await _promote(stage, version)
    await _answered_by(stage, SECOND)
    return f"all answer by version {SECOND}"


async def wrong_hash(stage: Stage) -> str:
    await _point_to(stage, DAMAGED)
    return await stage.service.deploy(stage.new_tag)


async def other_answers(stage: Stage) -> str:
    await _point_to(stage, OTHER_ANSWERS)
    return await stage.service.deploy(stage.new_tag)


async def missing_permission(stage: Stage) -> str:
    return await stage.service.deploy(stage.new_tag._replace(role=()))


async def crash_at_start(stage: Stage) -> str:
    repository = stage.new_tag.image.rpartition(":")[0]
    return await stage.service.deploy(stage.new_tag._replace(image=f"{repository}:{CRASHING}"))


async def killed(stage: Stage) -> str:
    member = _ready(stage)[0]
    await _spoil(stage, member, member.task.kill, "is killed")
    await _steady(stage)
    return "replaced"


async def killed_while_rolling(stage: Stage) -> str:
    deploying = asyncio.create_task(stage.service.deploy(stage.new_tag))
    await asyncio.sleep(3)
    member = _ready(stage)[-1]
    await _spoil(stage, member, member.task.kill, "is killed")
    return await deploying


async def frozen(stage: Stage) -> str:
    member = _ready(stage)[0]
    await _spoil(stage, member, member.task.freeze, "hangs")
    await _until(lambda: not member.task.alive)
    await _steady(stage)
    return "replaced"


async def store_away(stage: Stage) -> str:
    await stage.store.stop()
    stage.timeline.mark("S3 is away")
    deploying = asyncio.create_task(stage.service.deploy(stage.new_tag))
    await asyncio.sleep(25)
    await stage.store.start()
    stage.timeline.mark("S3 is back")
    return await deploying


async def out_and_in(stage: Stage) -> str:
    service = stage.deployed.service
    for count in (min(2 * service.minimum_tasks, service.maximum_tasks), service.minimum_tasks):
        await stage.service.scale(count)
    return "as many tasks as before" if len(_ready(stage)) == service.minimum_tasks else f"{len(_ready(stage))} tasks"


async def slow_and_stuck(stage: Stage) -> str:
    """A slow client begins each second and takes half the deadline, each fourth time another gets stuck.

    So some are amid their request at any moment, on each task.
    """
    client, asking, stuck = stage.client, set[asyncio.Task[None]](), list[Connection]()
    stage.timeline.mark("a slow client begins each second, one gets stuck every fourth")
    deploying = asyncio.create_task(stage.service.deploy(stage.new_tag))
    while not deploying.done():
        asking.add(asyncio.create_task(client.ask_slowly(client.large(), _seconds(stage, "REQUEST_DEADLINE") / 2)))
        if len(asking) % 4 == 1:
            stuck.append(await client.begin_and_stop(client.large()))
        await asyncio.wait({deploying}, timeout=1)
    await asyncio.gather(*asking)
    for connection in stuck:
        connection.close()
    return deploying.result()


async def pauses(stage: Stage) -> str:
    """Each client comes back just as the connection that it last used is given up, by the balancer or the task."""
    idle = min(stage.deployed.load_balancer.idle_timeout_seconds, _seconds(stage, "KEEP_ALIVE"))
    await stage.client.ask_after_pauses(round(60 / idle), idle - DISTANCE_SECONDS, clients=32)
    return "answered"


SCENES = (
    Scene("a new image tag", "Each task is replaced; is every request answered?", new_tag, _COMPLETED),
    Scene(
        "a new image tag",
        "As users report it, a task is told to stop while the balancer still sends it requests.",
        new_tag,
        _COMPLETED,
        order="SIGTERM first",
    ),
    Scene("a new task size", "The same for the tasks' memory.", new_size, _COMPLETED),
    Scene(
        "a promotion while rolling",
        "The alias moves amid a deployment; does each answer fit the version that it names?",
        promotion_while_rolling,
        f"completed, all answer by version {SECOND}",
    ),
    Scene(
        "an alias moved back and forth",
        "Running tasks change their model several times.",
        alias_back_and_forth,
        f"all answer by version {SECOND}",
    ),
    Scene(
        "a release whose artifact is damaged",
        "No new task can become ready; the circuit breaker gives the release up.",
        wrong_hash,
        _ROLLED_BACK,
    ),
    Scene(
        "a release whose golden answers differ",
        "The hashes are right and the answers are not; running tasks keep their model.",
        other_answers,
        _ROLLED_BACK,
    ),
    Scene(
        "a release that may not read its model",
        "The new task role lacks a permission.",
        missing_permission,
        _ROLLED_BACK,
    ),
    Scene("a release that crashes at start", "Its settings file is missing.", crash_at_start, _ROLLED_BACK),
    Scene("a task is killed", "SIGKILL: lost is what was in its hands.", killed, "replaced"),
    Scene(
        "a task is killed while rolling",
        "The others must carry on, however far the deployment has come.",
        killed_while_rolling,
        _COMPLETED,
    ),
    Scene("a task hangs", "SIGSTOP: it keeps its connections and answers nothing.", frozen, "replaced"),
    Scene(
        "S3 is away while rolling",
        "Running tasks need it no longer; new ones wait for it.",
        store_away,
        _COMPLETED,
    ),
    Scene("scaling out and in", "Tasks come and go under load.", out_and_in, "as many tasks as before"),
    Scene(
        "slow and stuck clients",
        "Slow requests are answered before the balancer lets go; stuck ones hold up nothing.",
        slow_and_stuck,
        _COMPLETED,
    ),
    Scene(
        "slow and stuck clients",
        "Slow requests are answered amid the task's drain; stuck ones do not hold up its end.",
        slow_and_stuck,
        _COMPLETED,
        order="SIGTERM first",
    ),
    Scene(
        "clients that pause",
        "Connections between balancer and tasks are idle until one side gives them up.",
        pauses,
        "answered",
        rate=2,
        distance_seconds=DISTANCE_SECONDS,
    ),
)

SHIFTED = (
    Scene(
        "a release that takes over by and by",
        "Old and new tasks answer side by side while weights move.",
        new_tag,
        _COMPLETED,
    ),
    Scene(
        "a release to take over by and by that crashes",
        "No weight moves for tasks that never become ready.",
        crash_at_start,
        _ROLLED_BACK,
    ),
)
"""For an environment where ECS shifts traffic between two target groups."""


def _seconds(stage: Stage, setting: str) -> float:
    """What a task is told."""
    return float(stage.deployed.task.environment[f"ALPHARD_{setting}_SECONDS"])


async def _promote(stage: Stage, version: str) -> None:
    await stage.models.promote(version, stage.store.environment())
    stage.timeline.mark(f"the alias points to version {version}")


async def _point_to(stage: Stage, version: str) -> None:
    """Past the verification that a promotion begins with."""
    models = stage.models
    await stage.store.fill(models.bucket, {**models.objects(version), **models.pointing(version)})
    stage.timeline.mark(f"the alias points to version {version}, which is broken")


async def _answered_by(stage: Stage, version: str) -> None:
    async def serve_it() -> bool:
        return all([await _version(member) == version for member in _ready(stage)])

    while not await serve_it():
        await asyncio.sleep(_POLL_SECONDS)
    stage.timeline.mark(f"every task answers by version {version}")


async def _version(member: Member) -> str | None:
    """Of the model with which a task is ready."""
    with suppress(OSError, ValueError, KeyError):
        reader, writer = await asyncio.open_connection(member.task.address, member.revision.definition.port)
        try:
            writer.write(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
        finally:
            writer.close()
        return str(json.loads(answer.partition(b"\r\n\r\n")[2])["model"]["version"])
    return None


def _ready(stage: Stage) -> list[Member]:
    return [member for member in stage.service.tasks if member.ready]


async def _spoil(stage: Stage, member: Member, harm: Callable[[], object], what: str) -> None:
    """Harms a task, and notes until when requests may still have been sent to it."""
    begin = stage.timeline.now()
    stage.timeline.mark(f"task {member.name} {what}")
    harm()
    await _until(lambda: not member.ready)
    stage.spoilt.append((begin, stage.timeline.now()))


async def _steady(stage: Stage) -> None:
    await _until(lambda: stage.service.steady)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(_POLL_SECONDS)
