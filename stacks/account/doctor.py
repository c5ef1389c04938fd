"""A look at the account before a deployment: what it would collide with, and whether what it stands on is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from stacks.account.adopted import adopted
from stacks.account.connection import Account
from stacks.account.findings import Check, Finding, gather
from stacks.account.foundation import bootstrap, ecs_role, image_state, model_state, stack_state
from stacks.account.names import Lookup, Values, is_taken, named
from stacks.account.release import Release
from stacks.assembly import Assembly, Resource
from stacks.settings import Environment

_ADOPTABLE = {
    "AWS::ECR::Repository": "storage.repository",
    "AWS::ECS::Cluster": "fargate.cluster",
    "AWS::SNS::Topic": "operations.topic",
    "AWS::IAM::OIDCProvider": "delivery.oidc_provider",
}


def examine(environment: Environment, account: Account, assembly: Assembly, release: Release) -> list[Finding]:
    """Everything that is not in order, the worst first."""
    found = list(gather(_checks(environment, account, assembly, release)))
    return sorted(found, key=lambda finding: ("fault", "unread", "pending").index(finding.kind))


def _checks(environment: Environment, account: Account, assembly: Assembly, release: Release) -> Iterator[Check]:
    yield partial(bootstrap, account, assembly.bootstrap_version)
    for name in assembly.stack_names.values():
        yield partial(stack_state, account, name)
    if environment.compute == "fargate":
        yield partial(ecs_role, account)
    yield from adopted(environment, account)
    yield partial(image_state, account, release.image)
    yield partial(model_state, account, release.model)
    for stack in assembly.stack_names:
        yield partial(_collisions, environment, account, assembly, stack)


def _collisions(environment: Environment, account: Account, assembly: Assembly, stack: str) -> Iterator[Finding]:
    """Names that the stack would take, and that something else has. What the stack has made already is its own."""
    own = _deployed(account, assembly.stack_names[stack])
    for resource, lookup, values in named(assembly, account.pseudo_parameters):
        if resource.stack == stack and resource.logical_id not in own:
            yield from gather([partial(_collision, environment, account, resource, lookup, values)])


def _collision(
    environment: Environment, account: Account, resource: Resource, lookup: Lookup, values: Values
) -> Iterator[Finding]:
    if is_taken(account, lookup, values):
        name = values[lookup.property]
        yield Finding("fault", f"{lookup.noun} {name} exists already", _fix(environment, account, resource, name))


def _fix(environment: Environment, account: Account, resource: Resource, name: str) -> str:
    key = _setting(environment, resource, name)
    if resource.type == "AWS::ElasticLoadBalancingV2::ListenerRule":
        return f"set environments.{environment.name}.load_balancer.listener.adopt.priority to a free one in cdk.json"
    if key is None:
        return "delete it, or give the environment another name"
    value = json.dumps({"adopt": _identifier(account, resource, name)})
    return f"adopt it (set environments.{environment.name}.{key} to {value} in cdk.json) or delete it"


def _setting(environment: Environment, resource: Resource, name: str) -> str | None:
    """The key that adopts what is there, if one does."""
    if resource.type == "AWS::S3::Bucket":
        return "storage.model_bucket" if name.startswith(environment.named("models")) else "storage.log_bucket"
    if resource.type == "AWS::Logs::LogGroup":
        return "storage.log_group" if resource.stack == "Storage" else None
    return _ADOPTABLE.get(resource.type)


def _identifier(account: Account, resource: Resource, name: str) -> dict[str, str]:
    arn = f"arn:{account.partition}"
    match resource.type:
        case "AWS::SNS::Topic":
            return {"arn": f"{arn}:sns:{account.region}:{account.id}:{name}"}
        case "AWS::IAM::OIDCProvider":
            return {"arn": f"{arn}:iam::{account.id}:oidc-provider/{name.removeprefix('https://')}"}
        case _:
            return {"name": name}


def _deployed(account: Account, stack_name: str) -> set[str]:
    """The logical ids of what the stack has made."""
    found: set[str] = set()
    token: dict[str, str] = {}
    while True:
        answer = account.ask(
            "cloudformation", "list_stack_resources", ("ValidationError",), StackName=stack_name, **token
        )
        if answer is None:
            return found
        found |= {
            resource["LogicalResourceId"]
            for resource in answer["StackResourceSummaries"]
            if resource["ResourceStatus"] != "DELETE_COMPLETE"
        }
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}
