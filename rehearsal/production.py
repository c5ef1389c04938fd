"""What all scenes begin from: an environment deployed into a stand-in for AWS, and what is deployed there later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rehearsal.account import bootstrapped
from rehearsal.deployed import Deployed, TaskDefinition
from rehearsal.errors import RefusedError
from rehearsal.models import Models, make_models
from rehearsal.read import read
from stacks.assembly import load_environment
from stacks.settings import Environment

_FIRST_TAG, _NEW_TAG = "a" * 40, "b" * 40

_FEWEST_TASKS = 2
"""With a single task, one that is killed is an outage, and nothing could be told from it."""

_MINUTES = 1
"""Where a release takes over by and by, that takes from minutes to hours; the order of things is the same."""


class Production(NamedTuple):
    """An environment as it was deployed, the task definitions of two later deployments, and the models it serves.

    ``exam`` is the folder that holds what clients ask and the answers that they expect.
    """

    deployed: Deployed
    new_tag: TaskDefinition
    new_size: TaskDefinition
    models: Models
    exam: Path


def deploy(environment: str, folder: Path) -> Production:
    """Deploys it three times by the CDK's command line, and reads each deployment back from the account.

    Raises RehearsalError, and SettingsError for an environment that its own settings refuse.
    """
    own = load_environment(environment)
    if own.compute == "lambda":
        raise RefusedError(f"{environment} cannot be rehearsed: it runs on Lambda")
    settings = dict(_changes(own))
    larger = {"fargate": {"cpu": 2 * own.fargate.cpu, "memory_mib": 2 * own.fargate.memory_mib}}
    with bootstrapped(environment) as account:
        account.deploy(tag=_FIRST_TAG, settings=settings)
        deployed = read(account)
        account.deploy("Serving", tag=_NEW_TAG, settings=settings)
        new_tag = read(account).task
        account.deploy("Serving", tag=_NEW_TAG, settings={**settings, **larger})
        new_size = read(account).task
    models = make_models(deployed.task.environment["ALPHARD_MODEL_URI"])
    models.exam.write(folder)
    return Production(deployed, new_tag, new_size, models, folder)


def _changes(own: Environment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All that differs from the environment's own settings, by their parts."""
    if own.scaling.minimum_tasks < _FEWEST_TASKS:
        yield "scaling", {"minimum_tasks": _FEWEST_TASKS, "maximum_tasks": 2 * _FEWEST_TASKS}
    if own.deployment.strategy != "rolling":
        steps = {} if own.deployment.strategy == "blue_green" else {"step_minutes": _MINUTES}
        yield "deployment", {**steps, "bake_minutes": _MINUTES}
