"""What two deployments differ in, in the words of their settings."""

from __future__ import annotations

import pytest

from rehearsal.deployed import TaskDefinition
from rehearsal.difference import difference
from rehearsal.protections import exposed
from tests.rehearsal.fakes import deployed

BEFORE = deployed()
TASK = BEFORE.task._replace(command=("python", "serve"), environment={"A": "1", "B": "2"})


def test_nothing_differs_from_itself() -> None:
    assert difference(BEFORE, deployed()) == ""


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (TASK._replace(environment={"A": "1", "B": "3"}), "B 2 -> 3"),
        (TASK._replace(environment={"A": "1"}), "B 2 -> none"),
        (TASK._replace(command=("sh",)), "task.command python serve -> sh"),
        (TASK._replace(stop_timeout_seconds=5.0, memory_mib=1), "task.stop_timeout_seconds 60 -> 5, task.memory_mib"),
    ],
)
def test_what_differs_is_named(task: TaskDefinition, said: str) -> None:
    before = BEFORE._replace(task=TASK)
    assert difference(before, before._replace(task=task)).startswith(said)


def test_each_protection_that_is_off_changes_something() -> None:
    task = TASK._replace(command=("python", "-m", "service", "serve"))
    group = BEFORE.target_group._replace(health_path="/ready", algorithm="least_outstanding_requests")
    before = BEFORE._replace(task=task, target_group=group)
    said = {difference(before, scene.change(before)) for scene in exposed()}
    assert "" not in said
    assert len(said) == len(exposed())
