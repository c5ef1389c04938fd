"""Scenes for real, from a real deployment: nothing is lost, and without the drain hold requests are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import Mock

import pytest

from rehearsal.account import Account
from rehearsal.models import make_models
from rehearsal.production import Production
from rehearsal.protections import exposed
from rehearsal.read import read
from rehearsal.report import all_held, keep, write_page
from rehearsal.report.figures import rows
from rehearsal.results import SceneResult
from rehearsal.scene import Scene, Stage, ending, perform
from rehearsal.scenes import SCENES
from tests.rehearsal.fakes import deployed


@pytest.fixture
def production(account: Account, tmp_path: Path) -> Production:
    """With two tasks, and without the containers' own checks, for whose first verdict ECS would wait."""
    as_deployed = read(account)
    task = as_deployed.task._replace(health_check=None)
    models = make_models(task.environment["ALPHARD_MODEL_URI"])
    models.exam.write(tmp_path)
    later = task._replace(image=f"{task.image.rpartition(':')[0]}:{'b' * 40}")
    two = as_deployed.service._replace(minimum_tasks=2)
    return Production(as_deployed._replace(task=task, service=two), later, later, models, tmp_path)


def pair(name: str, order: str, protection: str) -> tuple[Scene, Scene]:
    (scene,) = (each for each in SCENES if (each.name, each.order) == (name, order))
    (without,) = (each for each in exposed() if each.without == protection)
    return scene, without


async def played(production: Production, *scenes: Scene) -> list[SceneResult]:
    """All at the same time."""
    folders = [production.exam / str(number) for number in range(len(scenes))]
    for folder in folders:
        folder.mkdir()
    return await asyncio.gather(*map(perform, scenes, [production] * len(scenes), folders))


def test_a_new_release_loses_no_request_and_without_the_drain_hold_it_does(production: Production) -> None:
    results = asyncio.run(played(production, *pair("a new image tag", "SIGTERM first", "drain hold")))
    assert all_held(results)
    held, exposed_to_loss = rows(results)
    assert held.figures.failures == 0
    assert held.figures.fewest_ready == 2
    assert held.figures.requests > 1000
    assert exposed_to_loss.figures.failures > 0
    assert exposed_to_loss.scene.setting == "ALPHARD_DRAIN_HOLD_SECONDS 15 -> 0"
    assert "a new image tag, SIGTERM first" in write_page(results, production.exam / "page.html")
    keep(results, production.exam)
    assert (production.exam / "results.svg").read_text().startswith("<svg")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a task is killed", "a release that crashes at start", "scaling out and in"])
def test_what_goes_wrong_is_put_right_and_noticed_by_nobody(name: str, production: Production) -> None:
    scene = next(each for each in SCENES if each.name == name)
    assert all_held(asyncio.run(played(production, scene)))


def test_a_scene_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(_: Stage) -> str:
        await asyncio.Event().wait()
        return "over"

    monkeypatch.setattr("rehearsal.scene.LONGEST_SECONDS", 0.01)
    stage = Stage(deployed(), Mock(), Mock(), Mock(), Mock(), Mock(), Mock(), Mock(), [])
    assert asyncio.run(ending(Scene("a wait", "", play, "over"), stage)) == "not over after 0.01 s"
