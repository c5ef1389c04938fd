from __future__ import annotations

from pathlib import Path

import pytest

from stacks.account.connection import Account
from stacks.account.release import read_release
from stacks.assembly import Assembly
from stacks.errors import CommandError
from tests.stacks import thuban
from tests.stacks.synthesis import IMAGE_TAG, Synthesis

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def test_the_image_the_model_and_the_log_are_those_that_the_environment_deploys(
    synthesis: Synthesis, account: Account
) -> None:
    environment = synthesis.environment
    release = read_release(account, Assembly(synthesis.templates, {}, 6, Path()))
    serverless, adopted = environment.compute == "lambda", environment.name == "thuban"
    architecture = environment.function.architecture if serverless else environment.fargate.architecture
    repository = thuban.REPOSITORY if adopted else environment.named("service")
    assert str(release.image) == f"{REGISTRY}/{repository}:{IMAGE_TAG}" + ("-lambda" if serverless else "")
    assert release.image.target == ("lambda" if serverless else "serve")
    assert release.image.platform == ("linux/arm64" if architecture == "arm64" else "linux/amd64")
    assert release.model.bucket == environment.named("models-123456789012-eu-central-1")
    assert (release.model.name, release.model.alias) == (environment.model.name, environment.model.alias)
    assert (release.model.prefix, release.model.version) == (environment.model.prefix, environment.model.version)
    assert release.log_group == (thuban.LOG_GROUP if adopted else f"/alphard/{environment.name}/service")


def test_templates_that_serve_nothing_release_nothing(account: Account) -> None:
    with pytest.raises(CommandError, match="no container or function"):
        read_release(account, Assembly({"Storage": {}}, {}, 6, Path()))
