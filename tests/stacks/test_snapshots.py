"""Each stack of each environment against its snapshot, which is what a reviewer reads of a change.

``make snapshots`` writes them again.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from tests.stacks.environments import ENVIRONMENTS
from tests.stacks.synthesis import Synthesis, synthesize
from tests.stacks.template_yaml import to_yaml

STACKS = ("Storage", "Network", "Serving", "Operations", "Delivery")


class TemplateExtension(SingleFileSnapshotExtension):
    """One file a stack, ``__snapshots__/<environment>/<stack>.yaml``, as the parameter of the test is called."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / cls.snapshot_dirname)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        assert index == 0, "a test has one snapshot"
        return test_location.snapshot_name

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        name = cls.get_snapshot_name(test_location=test_location, index=index)
        return name.partition("[")[2].removesuffix("]")

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        return snapshot_location == cls.get_location(test_location=test_location, index=0)


def _stacks(settings: dict[str, Any]) -> list[str]:
    return [stack for stack in STACKS if stack != "Delivery" or "delivery" in settings]


NAMES = [f"{name}/{stack.lower()}" for name, settings in ENVIRONMENTS.items() for stack in _stacks(settings)]


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_is_what_its_snapshot_says(
    snapshot: SnapshotAssertion, synthesized: Callable[[str], Synthesis], name: str
) -> None:
    environment, stack = name.split("/")
    text = to_yaml(synthesized(environment).templates[stack.title()])
    assert text == snapshot(extension_class=TemplateExtension)


def test_there_is_no_stack_without_a_snapshot(synthesis: Synthesis) -> None:
    assert sorted(synthesis.templates) == sorted(_stacks(ENVIRONMENTS[synthesis.environment.name]))


def test_there_is_no_snapshot_without_a_stack() -> None:
    folder = Path(__file__).parent / "__snapshots__"
    assert sorted(NAMES) == sorted(f"{path.parent.name}/{path.stem}" for path in folder.rglob("*.yaml"))


def _text(synthesis: Synthesis, stacks: Sequence[str]) -> list[str]:
    """The lines of the snapshots of these stacks."""
    templates = [synthesis.templates[stack] for stack in stacks if stack in synthesis.templates]
    return [line for template in templates for line in to_yaml(template).splitlines()]


def _changed_lines(before: Synthesis, after: Synthesis, stacks: Sequence[str] = STACKS) -> list[str]:
    """What a change takes from the snapshots and adds to them, as a reviewer sees it."""
    found = difflib.unified_diff(_text(before, stacks), _text(after, stacks), n=0, lineterm="")
    return [line for line in found if not line.startswith(("---", "+++", "@@"))]


def _changed(environment: str, *path: str, to: Any) -> Synthesis:
    """The environment, synthesized with one setting another."""
    settings = copy.deepcopy(ENVIRONMENTS[environment])
    part = settings
    for key in path[:-1]:
        part = part.setdefault(key, {})
    part[path[-1]] = to
    return synthesize(environment, {environment: settings})


@pytest.mark.parametrize(
    ("path", "to", "lines"),
    [
        ("fargate.memory_mib", 2048, 2),
        ("load_balancer.idle_timeout_seconds", 50, 2),
        ("deployment.bake_minutes", 20, 2),
        ("service.log_level", "DEBUG", 2),
        ("scaling.maximum_tasks", 9, 8),  # and the alarm that all tasks are in use
        ("storage.log_retention_days", 60, 6),  # a line for each log that lasts as long as the service's
    ],
)
def test_a_small_change_is_a_small_difference(
    synthesized: Callable[[str], Synthesis], path: str, to: Any, lines: int
) -> None:
    found = _changed_lines(synthesized("staging"), _changed("staging", *path.split("."), to=to))
    assert 0 < len(found) <= lines, "\n".join(found)


@pytest.mark.parametrize(("name", "lines"), [("staging", 2), ("serverless", 4)])  # a version of the function is anew
def test_a_new_image_is_a_small_difference(synthesized: Callable[[str], Synthesis], name: str, lines: int) -> None:
    found = _changed_lines(synthesized(name), synthesize(name, image_tag="f" * 40))
    assert 0 < len(found) <= lines, "\n".join(found)


def test_another_alias_is_one_variable_and_the_commands_that_lead_back(
    synthesized: Callable[[str], Synthesis],
) -> None:
    before, after = synthesized("staging"), _changed("staging", "model", "alias", to="candidate")
    assert len(_changed_lines(before, after, ["Serving"])) == 2
    others = _changed_lines(before, after, ["Storage", "Network", "Operations"])
    assert all("rollback breast-cancer --alias" in line for line in others)
