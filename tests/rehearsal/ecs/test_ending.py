"""In which order a task is deregistered, told to stop, and forgotten."""

from __future__ import annotations

import asyncio

import pytest

from rehearsal.ecs.ending import STILL_REGISTERED_SECONDS
from tests.rehearsal.fakes import Release, Stage, deployed, play


async def scale_in(stage: Stage) -> None:
    await stage.service.scale(1)


def events(stage: Stage, target: str) -> list[tuple[float, str]]:
    """What was done to a target after its registration."""
    return [(at, what.split()[0]) for at, what in stage.world.events if what.split()[1] == target][1:]


@pytest.mark.parametrize(("delay_seconds", "drain_seconds"), [(30, 1), (5, 17)])
def test_as_documented_the_target_drains_first(delay_seconds: float, drain_seconds: float) -> None:
    release = Release(drain_seconds=drain_seconds)
    stage = play(scale_in, deployed(delay_seconds=delay_seconds), aaaaaaaaaa=release)
    begin = stage.since("2", "draining")
    assert events(stage, "2") == [(begin, "deregister"), (begin + delay_seconds, "remove")]
    assert stage.world.tasks[1].terminated_at == begin + delay_seconds
    assert stage.timeline.lives["2"].states[2:] == [
        (begin, "draining"),
        (begin + delay_seconds, "stopping"),
        (begin + delay_seconds + drain_seconds, "stopped"),
    ]


@pytest.mark.parametrize(("delay_seconds", "drain_seconds"), [(30, 1), (5, 17)])
def test_as_reported_it_is_still_registered_when_sigterm_comes(delay_seconds: float, drain_seconds: float) -> None:
    async def scene(stage: Stage) -> None:
        await scale_in(stage)
        await asyncio.sleep(100)

    release = Release(drain_seconds=drain_seconds)
    stage = play(scene, deployed(delay_seconds=delay_seconds), order="SIGTERM first", aaaaaaaaaa=release)
    begin = stage.since("2", "stopping")
    deregistered_at = begin + STILL_REGISTERED_SECONDS
    assert stage.world.tasks[1].terminated_at == begin
    assert stage.states("2") == ["starting", "ready", "stopping", "stopped"]
    assert begin + drain_seconds <= stage.since("2", "stopped") <= begin + drain_seconds + 0.25
    assert events(stage, "2") == [(deregistered_at, "deregister"), (deregistered_at + delay_seconds, "remove")]


def test_a_task_that_dies_while_it_drains_is_seen_to_have_stopped() -> None:
    async def scene(stage: Stage) -> None:
        ending = asyncio.create_task(stage.service.scale(1))
        await asyncio.sleep(10)
        stage.service.tasks[1].task.kill()
        await ending
        await asyncio.sleep(100)

    stage = play(scene, deployed(delay_seconds=30))
    assert stage.states("2") == ["starting", "ready", "draining", "stopped"]
    assert stage.since("2", "stopped") - stage.since("2", "draining") < 11
    assert [what for _, what in events(stage, "2")] == ["deregister", "remove"]


def test_a_task_that_died_is_taken_out_of_the_balancer() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.tasks[0].task.kill()
        await asyncio.sleep(100)

    stage = play(scene, deployed(delay_seconds=30))
    noticed_at = stage.since("1", "stopped")
    assert events(stage, "1") == [(noticed_at, "deregister"), (noticed_at + 30, "remove")]
    assert stage.states("1") == ["starting", "ready", "stopped"]
    assert "ECS sees that task 1 has ended" in stage.moments()
