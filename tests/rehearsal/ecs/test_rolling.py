"""Which tasks go and how many come, and what that makes of a rolling deployment."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from rehearsal.ecs.member import Member, Revision
from rehearsal.ecs.rolling import Limits, coming, hand_over, leaving, limits
from rehearsal.timeline import Timeline
from tests.rehearsal.fakes import FakeTask, Release, Stage, definition, deployed, play
from tests.rehearsal.virtual import run

How = Literal["starting", "ready", "faulty"]


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "expected"),
    [(2, 100, 200, (2, 4)), (3, 50, 150, (2, 4)), (5, 50, 110, (3, 5)), (1, 0, 100, (0, 1)), (7, 34, 129, (3, 9))],
)
def test_limits_are_rounded_as_documented(desired: int, minimum: int, maximum: int, expected: Limits) -> None:
    service = deployed(minimum_healthy_percent=minimum, maximum_percent=maximum).service
    assert limits(service, desired) == expected


async def deploy(stage: Stage) -> None:
    assert await stage.service.deploy(definition("bbbbbbbbbb")) == "completed"
    assert {member.release for member in stage.service.tasks} == {"bbbbbbb"}
    assert stage.service.steady


@pytest.mark.parametrize(
    ("tasks", "minimum", "maximum"),
    [(2, 100, 200), (3, 100, 200), (4, 50, 100), (3, 50, 150), (4, 100, 125), (2, 0, 100)],
)
@pytest.mark.parametrize("order", ["drain first", "SIGTERM first"])
def test_a_deployment_goes_to_both_limits_and_never_over_them(
    tasks: int, minimum: int, maximum: int, order: Literal["drain first", "SIGTERM first"]
) -> None:
    configuration = deployed(tasks=tasks, minimum_healthy_percent=minimum, maximum_percent=maximum)
    stage = play(deploy, configuration, order=order)
    lower, upper = limits(configuration.service, tasks)
    assert stage.most_and_fewest(after=3) == (upper, lower)


@pytest.mark.parametrize("ready_seconds", [4, 40])
def test_old_tasks_stay_until_new_ones_are_ready(ready_seconds: float) -> None:
    stage = play(deploy, deployed(grace_seconds=60), bbbbbbbbbb=Release(ready_seconds))
    assert stage.since("1", "draining") >= stage.since("3", "ready") == stage.since("4", "ready")
    assert stage.since("3", "ready") - stage.since("3", "starting") == ready_seconds


def member(revision: Revision, how: How) -> Member:
    made = Member(FakeTask("1", definition(), 0, 0, 0), revision, "1", 0.0, Timeline())
    made.state = {"starting": "starting", "ready": "ready", "faulty": "unhealthy"}[how]  # type: ignore[assignment]
    made.faulty = how == "faulty"
    return made


def left(wanted: int, *hows: How, room: int = 4) -> tuple[list[int], int]:
    """Which of the members are to go, by number, and how many are to come then."""

    async def main() -> tuple[list[int], int]:
        revision = Revision(definition(), "aaaaaaa", "blue", wanted)
        members = [member(revision, how) for how in hows]
        gone = leaving(revision, members, room=room)
        kept = [each for each in members if each not in gone]
        return [members.index(each) for each in gone], coming(revision, kept, room=room + len(gone))

    return run(main())


@pytest.mark.parametrize(
    ("wanted", "hows", "room", "gone", "come"),
    [
        (2, ("ready", "ready"), 2, [], 0),
        (2, ("ready",), 3, [], 1),
        (2, (), 1, [], 1),
        (1, ("ready", "ready"), 2, [1], 0),
        (1, ("ready", "starting", "ready"), 1, [1, 2], 0),
        (2, ("ready", "faulty"), 2, [], 1),
        (2, ("faulty", "ready", "starting"), 1, [], 0),
        (2, ("faulty", "ready", "ready"), 1, [0], 0),
        (2, ("faulty", "ready", "faulty"), 1, [0], 1),
        (2, ("faulty", "faulty"), 0, [0], 1),
        (2, ("faulty", "faulty"), 1, [], 1),
        (2, ("ready", "ready", "starting"), 1, [2], 0),
        (0, ("ready", "faulty", "starting"), 1, [1, 2, 0], 0),
    ],
    ids=str,
)
def test_who_goes_and_how_many_come(wanted: int, hows: tuple[How, ...], room: int, gone: list[int], come: int) -> None:
    assert left(wanted, *hows, room=room) == (gone, come)


def test_the_old_revision_wants_as_many_less_as_are_ready_over_the_limit() -> None:
    async def main() -> list[int]:
        old, new = Revision(definition(), "a", "blue", 3), Revision(definition(), "b", "blue", 3)
        members = [member(old, "ready") for _ in range(3)] + [member(new, "starting"), member(new, "starting")]
        wanted = []
        for lower in (3, 2):
            hand_over([old, new], new, members, lower)
            wanted.append(old.wanted)
        members += [member(new, "ready") for _ in range(3)]
        hand_over([old, new], new, members, 3)
        return [*wanted, old.wanted, new.wanted]

    assert run(main()) == [3, 2, 0, 3]


def test_a_task_of_the_old_release_is_replaced_by_its_like_while_the_new_one_fails() -> None:
    async def scene(stage: Stage) -> None:
        deploying = asyncio.create_task(stage.service.deploy(definition("bbbbbbbbbb")))
        await asyncio.sleep(3)
        stage.service.tasks[0].task.kill()
        assert await deploying == "rolled back"

    stage = play(scene, deployed(maximum_percent=150), bbbbbbbbbb=Release(ready_seconds=1e9, life_seconds=5))
    like = [life.task for life in stage.timeline.lives.values() if life.release == "aaaaaaa"][2]
    assert stage.since(like, "starting") == stage.since("1", "stopped")
    assert stage.most_and_fewest(after=3) == (3, 1)
