"""When a task is ready, and when it has to be replaced."""

from __future__ import annotations

import asyncio

import pytest

from rehearsal.deployed import HealthCheck
from tests.rehearsal.fakes import Stage, definition, deployed, play

CHECK = HealthCheck(("CMD", "true"), 15, 5, 3, 30)


def test_a_container_with_a_check_of_its_own_is_ready_when_both_pass() -> None:
    async def scene(stage: Stage) -> None:
        deploying = asyncio.create_task(stage.service.deploy(definition("bbbbbbbbbb", health_check=CHECK)))
        await asyncio.sleep(10)
        assert [stage.service.tasks[index].state for index in (2, 3)] == ["starting", "starting"]
        for task in stage.world.tasks:
            task.health = "HEALTHY"
        assert await deploying == "completed"

    play(scene)


def test_a_container_that_fails_its_own_check_is_replaced() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(50)
        stage.world.tasks[1].health = "UNHEALTHY"
        await asyncio.sleep(100)
        assert [member.name for member in stage.service.tasks] == ["1", "3"]

    play(scene)


@pytest.mark.parametrize("grace_seconds", [20, 77])
def test_in_the_grace_period_no_health_check_counts(grace_seconds: float) -> None:
    async def scene(stage: Stage) -> None:
        stage.service.tasks[0].task.freeze()
        await asyncio.sleep(200)

    stage = play(scene, deployed(grace_seconds=grace_seconds))
    assert stage.since("1", "unhealthy") < 5
    assert stage.since("3", "starting") == grace_seconds
