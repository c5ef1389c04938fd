from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from stacks.account.connection import Account
from stacks.account.release import deployed_commit, read_release
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


SERVES = {
    "Type": "AWS::ECS::TaskDefinition",
    "Properties": {
        "RuntimePlatform": {"CpuArchitecture": "X86_64"},
        "ContainerDefinitions": [
            {
                "Name": "service",
                "Memory": 512,
                "Image": {"Fn::Sub": f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.amazonaws.com/alphard:{IMAGE_TAG}"},
                "Environment": [{"Name": "ALPHARD_MODEL_URI", "Value": "s3://bucket/models/churn@production"}],
                "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "/alphard"}},
            }
        ],
    },
}


def test_the_commit_that_is_deployed_is_that_of_the_image_that_the_stack_runs(account: Account) -> None:
    assert deployed_commit(account, "serving") is None
    template = json.dumps({"Resources": {"Task": SERVES}})
    account.ask("cloudformation", "create_stack", StackName="serving", TemplateBody=template)
    assert deployed_commit(account, "serving") == IMAGE_TAG


class _Failed:
    """A session, and its client, of an account where the creation of the stack has failed."""

    def client(self, _: str) -> _Failed:
        return self

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]}


def test_what_never_came_to_run_is_not_deployed(account: Account) -> None:
    assert deployed_commit(account._replace(session=cast("Any", _Failed())), "serving") is None
