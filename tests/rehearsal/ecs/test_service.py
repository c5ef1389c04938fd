"""A service as a scene uses it: created, deployed, rolled back, closed."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from rehearsal.ecs import Service
from rehearsal.errors import RehearsalError
from rehearsal.timeline import Timeline
from tests.rehearsal.fakes import Release, Stage, World, definition, deployed, play
from tests.rehearsal.virtual import run

NEVER = 1e9


@pytest.mark.parametrize("tasks", [1, 3])
def test_a_service_is_created_with_its_tasks_ready(tasks: int) -> None:
    async def scene(stage: Stage) -> None:
        assert [(member.name, member.state, member.release) for member in stage.service.tasks] == [
            (str(number + 1), "ready", "aaaaaaa") for number in range(tasks)
        ]
        assert stage.service.steady

    stage = play(scene, deployed(tasks=tasks))
    assert stage.world.events[:1] == [(0, "weigh blue=100 green=0")]
    assert stage.moments() == ["deployment of aaaaaaa begins", f"steady with {tasks} tasks of aaaaaaa"]


def test_a_deployment_is_told_in_its_moments() -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.service.deploy(definition("bbbbbbbbbb")) == "completed"
        assert await stage.service.deploy(definition("bbbbbbbbbb"), release="larger") == "completed"
        assert [member.release for member in stage.service.tasks] == ["larger", "larger"]

    assert play(scene).moments()[2:] == [
        "deployment of bbbbbbb begins",
        "deployment of bbbbbbb completed",
        "deployment of larger begins",
        "deployment of larger completed",
    ]


@pytest.mark.parametrize(("tasks", "started"), [(1, 3), (2, 4), (8, 8)])
def test_a_release_that_crashes_at_start_is_rolled_back(tasks: int, started: int) -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.service.deploy(definition("bbbbbbbbbb")) == "rolled back"
        assert [member.name for member in stage.service.tasks] == [str(number + 1) for number in range(tasks)]
        assert stage.service.steady

    stage = play(scene, deployed(tasks=tasks), bbbbbbbbbb=Release(NEVER, life_seconds=0.5))
    assert len(stage.world.tasks) == tasks + started
    assert stage.most_and_fewest(after=3) == (2 * tasks, tasks)
    assert stage.moments()[2:] == [
        "deployment of bbbbbbb begins",
        *[f"ECS sees that task {number + 1} has ended" for number in range(tasks, tasks + started)],
        f"circuit breaker: {started} tasks failed",
        "rollback to aaaaaaa begins",
        "rolled back to aaaaaaa",
    ]


@pytest.mark.parametrize("grace_seconds", [20, 134])
def test_a_release_that_does_not_become_ready_is_rolled_back(grace_seconds: float) -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.service.deploy(definition("bbbbbbbbbb")) == "rolled back"

    stage = play(scene, deployed(grace_seconds=grace_seconds), bbbbbbbbbb=Release(NEVER))
    new = [life for life in stage.timeline.lives.values() if life.release == "bbbbbbb"]
    assert stage.since("3", "unhealthy") - stage.since("3", "starting") == grace_seconds
    assert [[state for _, state in life.states][:3] for life in new] == [["starting", "unhealthy", "draining"]] * 4
    assert stage.most_and_fewest(after=3) == (4, 2)


def test_old_tasks_that_were_ended_come_back_with_a_rollback() -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.service.deploy(definition("bbbbbbbbbb")) == "rolled back"
        assert [member.release for member in stage.service.tasks] == ["aaaaaaa"] * 4

    configuration = deployed(tasks=4, minimum_healthy_percent=50, maximum_percent=100)
    stage = play(scene, configuration, bbbbbbbbbb=Release(NEVER, life_seconds=1))
    assert stage.most_and_fewest(after=3) == (4, 2)


def test_a_ready_task_lets_the_circuit_breaker_count_anew() -> None:
    async def scene(stage: Stage) -> None:
        deploying = asyncio.create_task(stage.service.deploy(definition("bbbbbbbbbb")))
        for _ in range(2):
            await asyncio.sleep(2.5)
            stage.service.tasks[1].task.kill()
        stage.world.releases["bbbbbbbbbb"] = Release(1)
        await asyncio.sleep(5)
        stage.world.releases["bbbbbbbbbb"] = Release(NEVER)
        for _ in range(2):  # the first of them was ready
            stage.service.tasks[1].task.kill()
            await asyncio.sleep(1)
        stage.world.releases["bbbbbbbbbb"] = Release(1)
        assert await deploying == "completed"

    stage = play(scene, deployed(tasks=1), bbbbbbbbbb=Release(NEVER))
    assert [life.states[1][1] for life in stage.timeline.lives.values()].count("stopped") == 3
    assert not any(moment.startswith("circuit breaker") for moment in stage.moments())


def test_without_a_circuit_breaker_it_tries_for_ever_and_ever_more_slowly() -> None:
    async def scene(stage: Stage) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(70):
                await stage.service.deploy(definition("bbbbbbbbbb"))

    stage = play(scene, deployed(tasks=1, circuit_breaker=False), bbbbbbbbbb=Release(NEVER, life_seconds=0.5))
    starts = [life.states[0][0] for life in list(stage.timeline.lives.values())[1:]]
    assert [round(later - earlier, 3) for earlier, later in pairwise(starts)][:8] == [
        0.5 + delay for delay in (1, 2, 4, 8, 10, 10, 10, 10)
    ]


@pytest.mark.parametrize("life_seconds", [0.5, NEVER])
def test_without_a_rollback_a_failed_deployment_starts_and_keeps_nothing(life_seconds: float) -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.service.deploy(definition("bbbbbbbbbb")) == "failed"
        count = len(stage.world.tasks)
        await asyncio.sleep(200)
        assert len(stage.world.tasks) == count
        assert [member.release for member in stage.service.tasks] == ["aaaaaaa", "aaaaaaa"]
        assert await stage.service.deploy(definition("cccccccccc")) == "completed"
        assert [member.release for member in stage.service.tasks] == ["ccccccc", "ccccccc"]

    play(scene, deployed(rolls_back=False), bbbbbbbbbb=Release(NEVER, life_seconds))


def test_a_service_whose_first_release_fails_cannot_be_created() -> None:
    async def scene(stage: Stage) -> None:
        raise AssertionError("it was created")

    with pytest.raises(RehearsalError, match="the service cannot start: tasks of aaaaaaa fail"):
        play(scene, aaaaaaaaaa=Release(NEVER, life_seconds=0.5))


def test_at_the_end_every_task_is_killed_at_once() -> None:
    async def scene(stage: Stage) -> None:
        deploying = asyncio.create_task(stage.service.deploy(definition("bbbbbbbbbb")))
        await asyncio.sleep(5)
        assert {member.state for member in stage.service.tasks} == {"ready", "draining"}
        deploying.cancel()

    stage = play(scene)
    assert all(life.states[-1][1] == "stopped" for life in stage.timeline.lives.values())
    assert [task.terminated_at for task in stage.world.tasks] == [None] * 4


class _Broken(World):
    """Its balancer fails as soon as a target is deregistered."""

    async def deregister(self, target: str) -> None:
        raise ConnectionError(f"no way to {target}")


def test_what_the_balancer_raises_comes_out_of_what_waits_and_nothing_is_left() -> None:
    async def main() -> World:
        world, timeline = _Broken(), Timeline(asyncio.get_running_loop().time)
        service = Service(deployed(), world, world.launch, timeline)
        await service.create()
        with pytest.raises(ConnectionError, match="no way to 2"):
            await service.scale(1)
        with pytest.raises(ConnectionError):
            await service.close()
        assert not any(task.alive for task in world.tasks)
        return world

    run(main())
