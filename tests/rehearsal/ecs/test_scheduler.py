"""What becomes of tasks that end, hang or are not wanted any longer."""

from __future__ import annotations

import asyncio

import pytest

from tests.rehearsal.fakes import Release, Stage, definition, deployed, play


@pytest.mark.parametrize("tasks", [1, 3])
def test_a_task_that_ends_is_replaced_at_once(tasks: int) -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(50)
        stage.service.tasks[0].task.kill()
        await asyncio.sleep(1)
        assert [member.name for member in stage.service.tasks] == [str(number) for number in range(2, tasks + 2)]
        assert not stage.service.steady
        await asyncio.sleep(3)
        assert stage.service.steady

    stage = play(scene, deployed(tasks=tasks))
    assert stage.since(str(tasks + 1), "starting") == stage.since("1", "stopped")


@pytest.mark.parametrize("ready_seconds", [3, 12])
def test_a_task_that_hangs_goes_when_its_replacement_is_ready(ready_seconds: float) -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(50)
        stage.service.tasks[0].task.freeze()
        await asyncio.sleep(100)
        assert stage.service.steady

    stage = play(scene, aaaaaaaaaa=Release(ready_seconds))
    assert stage.states("1") == ["starting", "ready", "unhealthy", "draining", "stopping", "stopped"]
    assert stage.since("3", "starting") == stage.since("1", "unhealthy")
    assert stage.since("3", "ready") == stage.since("1", "draining") == stage.since("3", "starting") + ready_seconds


def test_a_task_that_recovers_in_time_stays_and_its_replacement_goes() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(50)
        stage.world.tasks[0].frozen = True
        await asyncio.sleep(2)
        stage.world.tasks[0].frozen = False
        await asyncio.sleep(100)
        assert [member.name for member in stage.service.tasks] == ["1", "2"]

    stage = play(scene, aaaaaaaaaa=Release(ready_seconds=10))
    assert stage.states("1")[:4] == ["starting", "ready", "unhealthy", "ready"]
    assert stage.states("3") == ["starting", "draining", "stopping", "stopped"]


def test_without_room_for_replacements_unhealthy_tasks_go_one_by_one() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(50)
        for each in stage.service.tasks:
            each.task.freeze()
        await asyncio.sleep(100)
        assert stage.service.steady

    stage = play(scene, deployed(maximum_percent=100))
    assert stage.since("1", "draining") < stage.since("2", "draining")
    assert stage.most_and_fewest(after=3) == (2, 0)


@pytest.mark.parametrize("more", [1, 4])
def test_a_service_scales_out_and_in_again_the_newest_first(more: int) -> None:
    async def scene(stage: Stage) -> None:
        await stage.service.scale(2 + more)
        assert [member.state for member in stage.service.tasks] == ["ready"] * (2 + more)
        await stage.service.scale(2)
        assert [member.name for member in stage.service.tasks] == ["1", "2"]
        assert stage.service.steady

    stage = play(scene)
    assert f"desired tasks: {2 + more}, before 2" in stage.moments()
    assert all(stage.states(str(number + 3))[2:] == ["draining", "stopping", "stopped"] for number in range(more))


def test_scaling_out_while_rolling_is_for_both_releases() -> None:
    async def scene(stage: Stage) -> None:
        deploying = asyncio.create_task(stage.service.deploy(definition("bbbbbbbbbb")))
        await asyncio.sleep(1)
        scaling = asyncio.create_task(stage.service.scale(3))
        await asyncio.sleep(1)
        assert [member.release for member in stage.service.tasks].count("aaaaaaa") == 3
        assert await deploying == "completed"
        await scaling
        assert [member.release for member in stage.service.tasks] == ["bbbbbbb"] * 3

    play(scene, deployed(grace_seconds=60), bbbbbbbbbb=Release(ready_seconds=30))
