"""One stack by itself, of an environment with a few settings of a test's own."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from stacks.settings import Environment
from tests.stacks.environments import CONTEXT


def environment(**settings: Any) -> Environment:
    """Named ``alone``; all that is not given is the default."""
    return Environment.model_validate({"name": "alone", "model": {"name": "churn", "alias": "production"}, **settings})


def app() -> cdk.App:
    """With the flags of cdk.json."""
    return cdk.App(analytics_reporting=False, context=CONTEXT)


def resources(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    """What is in the stack's template, by logical id. Ends the stack: nothing can be added any more."""
    found: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json()["Resources"]
    return found


def of_type(found: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The properties of the resources of one type."""
    return [resource["Properties"] for resource in found.values() if resource["Type"] == kind]
