"""What is read from the app's context: ``env``, ``environments`` and ``image_tag``."""

from __future__ import annotations

import re
from typing import Any

from constructs import Node
from pydantic import ValidationError

from stacks.settings._environment import Environment
from stacks.settings._faults import SettingsError, escape, first_fault, show

_ENVIRONMENTS = 'an object of environments by name such as {"dev": {"model": {...}}}, as in cdk.json'


def read_environment(node: Node) -> Environment:
    """The environment that the context's ``env`` names, ``dev`` by default, out of the context's ``environments``.

    Raises SettingsError, one line: which key, what it was, what is allowed.
    """
    environments = node.try_get_context("environments")
    if environments is None:
        raise SettingsError(f"environments: missing; expected {_ENVIRONMENTS}, which the CDK reads (npx cdk synth)")
    if not isinstance(environments, dict) or not environments:
        raise SettingsError(f"environments: expected {_ENVIRONMENTS}, got {show(environments)}")
    name = _chosen(node.try_get_context("env"), list(environments))
    return _validated(name, environments[name])


def read_image_tag(node: Node) -> str | None:
    """The Git SHA in the context's ``image_tag``, or None without one. Raises SettingsError for anything else."""
    tag = node.try_get_context("image_tag")
    if tag is None:
        return None
    if not isinstance(tag, str) or not re.fullmatch("[0-9a-f]{40}", tag):
        raise SettingsError(f"image_tag: expected a Git SHA of 40 lower-case hexadecimal digits, got {show(tag)}")
    return tag


def _chosen(name: Any, known: list[str]) -> str:
    if name is None:
        name = "dev"
    if not isinstance(name, str) or name not in known:
        raise SettingsError(f"env: expected one of {', '.join(map(escape, known))}, got {show(name)}")
    return name


def _validated(name: str, given: Any) -> Environment:
    path = f"environments.{escape(name)}"
    if not isinstance(given, dict):
        raise SettingsError(f"{path}: expected an object of settings, got {show(given)}")
    if "name" in given:
        raise SettingsError(f"{path}.name: no such setting; an environment has the name that it stands under")
    try:
        return Environment.model_validate({"name": name, **given})
    except ValidationError as error:
        raise SettingsError(first_fault(error, name)) from None
