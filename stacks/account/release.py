"""What a deployment releases, as its templates tell the tasks or the function: the image, and the model to serve."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stacks.account.connection import Account
from stacks.account.image import Image, parse_image
from stacks.account.model import Model, parse_model
from stacks.assembly import Assembly, resolve
from stacks.errors import CommandError

_MODEL_URI = "ALPHARD_MODEL_URI"

_RUNS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
"""The states of a stack whose template is that of what runs: a creation that failed leaves its own template behind."""


class Release(NamedTuple):
    """``log_group`` is where the tasks or the function write their log."""

    image: Image
    model: Model
    log_group: str | None


def read_release(account: Account, assembly: Assembly) -> Release:
    """The image and the model of the one container, or function, that is told which model to serve.

    Raises CommandError if the templates have none.
    """
    known = account.pseudo_parameters
    for definition in assembly.resources("AWS::ECS::TaskDefinition"):
        for container in definition.properties["ContainerDefinitions"]:
            told = {variable["Name"]: variable["Value"] for variable in container.get("Environment", ())}
            if _MODEL_URI in told:
                architecture = definition.properties["RuntimePlatform"]["CpuArchitecture"]
                image = _image(known, container["Image"], architecture, "serve")
                log_group = container["LogConfiguration"]["Options"]["awslogs-group"]
                return Release(image, _model(known, told[_MODEL_URI]), resolve(log_group, known))
    for function in assembly.resources("AWS::Lambda::Function"):
        told = function.properties.get("Environment", {}).get("Variables", {})
        if _MODEL_URI in told:
            (architecture,) = function.properties["Architectures"]
            image = _image(known, function.properties["Code"]["ImageUri"], architecture, "lambda")
            log_group = function.properties["LoggingConfig"]["LogGroup"]
            return Release(image, _model(known, told[_MODEL_URI]), resolve(log_group, known))
    raise CommandError("no container or function of the templates is told which model to serve")


def deployed_commit(account: Account, stack_name: str) -> str | None:
    """The commit whose image the stack of that name runs, or None if it has never come to run one.

    Raises UnreadError.
    """
    missing = ("ValidationError",)
    answer = account.ask("cloudformation", "describe_stacks", missing, StackName=stack_name)
    if not answer or answer["Stacks"][0]["StackStatus"] not in _RUNS:
        return None
    held = account.ask("cloudformation", "get_template", StackName=stack_name)["TemplateBody"]
    template = json.loads(held) if isinstance(held, str) else held
    release = read_release(account, Assembly({"Serving": template}, {"Serving": stack_name}, 0, Path()))
    return release.image.tag.removesuffix("-lambda")


def _image(known: Mapping[str, str], uri: Any, architecture: str, target: str) -> Image:
    return parse_image(resolve(uri, known) or "", architecture=architecture, target=target)


def _model(known: Mapping[str, str], uri: Any) -> Model:
    return parse_model(resolve(uri, known) or "")
