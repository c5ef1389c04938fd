"""How traffic goes over to a release that runs beside the old one."""

from __future__ import annotations

import asyncio

import pytest

from rehearsal.deployed import Strategy
from rehearsal.ecs.shifting import steps
from tests.rehearsal.fakes import Release, Stage, definition, deployed, play


@pytest.mark.parametrize(
    ("strategy", "percents"),
    [
        (Strategy("BLUE_GREEN", 100), [100]),
        (Strategy("CANARY", 10), [10, 100]),
        (Strategy("CANARY", 5.5), [5.5, 100]),
        (Strategy("LINEAR", 50), [50, 100]),
        (Strategy("LINEAR", 30), [30, 60, 90, 100]),
    ],
)
def test_the_steps_of_each_strategy(strategy: Strategy, percents: list[float]) -> None:
    assert list(steps(strategy)) == percents


def weights(stage: Stage) -> list[tuple[float, str]]:
    """What was weighed, and how long after the first shift."""
    weighed = [(at, what) for at, what in stage.world.events if what.startswith("weigh")][1:]
    return [(round(at - weighed[0][0], 3), what.removeprefix("weigh ")) for at, what in weighed]


async def deploy(stage: Stage) -> None:
    assert await stage.service.deploy(definition("bbbbbbbbbb")) == "completed"


@pytest.mark.parametrize(("step_seconds", "bake_seconds"), [(60, 300), (7, 11)])
def test_a_canary_bakes_at_its_step_and_at_the_end(step_seconds: float, bake_seconds: float) -> None:
    stage = play(deploy, deployed(strategy=Strategy("CANARY", 10, step_seconds, bake_seconds)))
    assert weights(stage) == [(0, "blue=90 green=10"), (step_seconds, "blue=0 green=100")]
    baked = stage.since("1", "draining") - stage.since("3", "ready")
    assert step_seconds + bake_seconds <= baked <= step_seconds + bake_seconds + 1
    assert [stage.world.events[index][1] for index in (3, 4)] == ["register 3 in green", "register 4 in green"]
    assert stage.moments()[3:5] == ["10% to bbbbbbb", "100% to bbbbbbb"]


@pytest.mark.parametrize(("step_seconds", "percent"), [(20, 50), (5, 25)])
def test_a_linear_shift_goes_on_by_equal_steps(step_seconds: float, percent: float) -> None:
    stage = play(deploy, deployed(strategy=Strategy("LINEAR", percent, step_seconds, 1)))
    assert weights(stage) == [
        (number * step_seconds, f"blue={100 - (number + 1) * percent:g} green={(number + 1) * percent:g}")
        for number in range(int(100 / percent))
    ]


@pytest.mark.parametrize("tasks", [2, 5])
def test_no_traffic_goes_to_a_release_before_all_its_tasks_are_ready(tasks: int) -> None:
    stage = play(deploy, deployed(tasks=tasks, strategy=Strategy("BLUE_GREEN", 100)))
    shifted_at = next(at for at, what in stage.world.events if what == "weigh blue=0 green=100")
    new = [life.task for life in stage.timeline.lives.values() if life.release == "bbbbbbb"]
    assert len(new) == tasks
    assert all(stage.since(task, "ready") <= shifted_at for task in new)
    assert stage.most_and_fewest(0.1 + stage.since("1", "ready"))[0] == 2 * tasks


def test_each_release_has_the_upper_limit_for_itself() -> None:
    stage = play(deploy, deployed(maximum_percent=100, strategy=Strategy("BLUE_GREEN", 100)))
    assert stage.most_and_fewest(after=3) == (4, 2)


def test_after_the_bake_there_is_no_way_back() -> None:
    async def scene(stage: Stage) -> None:
        deploying = asyncio.create_task(stage.service.deploy(definition("bbbbbbbbbb")))
        await asyncio.sleep(20)
        assert [member.state for member in stage.service.tasks] == ["draining", "draining", "ready", "ready"]
        for _ in range(3):
            stage.service.tasks[-1].task.kill()
            await asyncio.sleep(1)
        assert await deploying == "completed"

    play(scene, deployed(strategy=Strategy("BLUE_GREEN", 100, bake_seconds=10)))


def test_the_groups_take_turns() -> None:
    async def twice(stage: Stage) -> None:
        await stage.service.deploy(definition("bbbbbbbbbb"))
        await stage.service.deploy(definition("cccccccccc"))

    stage = play(twice, deployed(tasks=1, strategy=Strategy("BLUE_GREEN", 100)))
    assert [what for _, what in stage.world.events if what.startswith("register")] == [
        "register 1 in blue",
        "register 2 in green",
        "register 3 in blue",
    ]
    assert [what for _, what in weights(stage)] == ["blue=0 green=100", "blue=100 green=0"]


async def fail(stage: Stage) -> None:
    assert await stage.service.deploy(definition("bbbbbbbbbb")) == "rolled back"
    assert [member.release for member in stage.service.tasks] == ["aaaaaaa"] * 2
    assert stage.service.steady


def test_a_release_that_never_is_ready_gets_no_traffic() -> None:
    stage = play(fail, deployed(strategy=Strategy("CANARY", 10, 60, 60)), bbbbbbbbbb=Release(ready_seconds=1e9))
    assert weights(stage) == []
    assert stage.states("1") == ["starting", "ready", "stopped"]


@pytest.mark.parametrize("life_seconds", [20, 90])
def test_tasks_that_die_under_traffic_bring_it_back_before_any_is_ended(life_seconds: float) -> None:
    strategy = Strategy("CANARY", 10, 60, 600)
    stage = play(fail, deployed(strategy=strategy), bbbbbbbbbb=Release(life_seconds=life_seconds))
    back_at, last = [(at, what) for at, what in stage.world.events if what.startswith("weigh")][-1]
    assert last == "weigh blue=100 green=0"
    died_at = [
        task.ends_at for task in stage.world.tasks if task.definition.tag == "bbbbbbbbbb" and task.ready_at < 1e6
    ]
    assert sorted(died_at)[2] <= back_at <= sorted(died_at)[2] + 1
    assert stage.moments()[-3:] == [
        "rollback to aaaaaaa begins",
        "all traffic back to aaaaaaa",
        "rolled back to aaaaaaa",
    ]


def test_without_a_rollback_the_traffic_stays_where_it_is() -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.service.deploy(definition("bbbbbbbbbb")) == "failed"
        await asyncio.sleep(100)

    strategy = Strategy("CANARY", 10, 60, 60)
    stage = play(scene, deployed(strategy=strategy, rolls_back=False), bbbbbbbbbb=Release(life_seconds=20))
    assert weights(stage) == [(0, "blue=90 green=10")]
    assert stage.states("1") == ["starting", "ready", "stopped"]


def test_a_service_scales_both_releases_while_traffic_shifts() -> None:
    async def scene(stage: Stage) -> None:
        deploying = asyncio.create_task(stage.service.deploy(definition("bbbbbbbbbb")))
        await asyncio.sleep(10)
        await stage.service.scale(3)
        assert [member.release for member in stage.service.tasks if member.ready].count("aaaaaaa") == 3
        assert [member.release for member in stage.service.tasks if member.ready].count("bbbbbbb") == 3
        assert await deploying == "completed"
        assert len(stage.service.tasks) == 3

    play(scene, deployed(strategy=Strategy("CANARY", 10, 60, 60)))
