"""What stands in the account: the URL, whether the targets are healthy, and how far a deployment came."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from stacks.account.connection import Account, UnreadError
from stacks.assembly import Assembly
from stacks.errors import CommandError

_PAUSE_SECONDS = 5.0


def physical_ids(account: Account, stack_name: str, kind: str) -> list[str]:
    """The physical ids (names or ARNs) of what a stack has of one type. Raises UnreadError."""
    answer = account.ask("cloudformation", "describe_stack_resources", ("ValidationError",), StackName=stack_name)
    resources = answer["StackResources"] if answer else ()
    ids = (item.get("PhysicalResourceId") for item in resources if item.get("ResourceType") == kind)
    return [physical_id for physical_id in ids if physical_id]  # what is yet to be made has none


def find_url(account: Account, environment: str) -> str | None:
    """Where the environment says that it is reached, or None before it is deployed. Raises UnreadError."""
    name = f"/alphard/{environment}/serving/url"
    answer = account.ask("ssm", "get_parameter", ("ParameterNotFound",), Name=name)
    return answer and str(answer["Parameter"]["Value"])


def wait_until_healthy(account: Account, stack_name: str, deadline_seconds: float) -> str:
    """Waits until the balancer finds a target healthy and none otherwise, and says so; a target that drains does not
    count, nor does a function, which the balancer does not check.

    Raises CommandError, which says what was seen last.
    """
    groups = physical_ids(account, stack_name, "AWS::ElasticLoadBalancingV2::TargetGroup")
    give_up_at = time.monotonic() + deadline_seconds
    while True:
        targets = list(_targets(account, groups))
        states = [health["State"] for health in targets]
        if states and all(state in ("healthy", "unavailable") for state in states):
            return f"the balancer finds {len(states)} of {len(states)} targets healthy"
        if time.monotonic() > give_up_at:
            raise CommandError(f"the balancer's targets are {_summary(targets)}, after {deadline_seconds:g} seconds")
        time.sleep(_PAUSE_SECONDS)


def describe_state(account: Account, assembly: Assembly, log_group: str | None) -> Iterator[str]:
    """How far it came, a line each: stacks, deployments of the service, targets; and where to look further."""
    try:
        for name in assembly.stack_names.values():
            answer = account.ask("cloudformation", "describe_stacks", ("ValidationError",), StackName=name)
            yield f"stack {name}: {answer['Stacks'][0]['StackStatus'] if answer else 'not deployed'}"
        serving = assembly.stack_names["Serving"]
        for arn in physical_ids(account, serving, "AWS::ECS::Service"):
            yield from _service_state(account, arn)
        groups = physical_ids(account, serving, "AWS::ElasticLoadBalancingV2::TargetGroup")
        if groups:
            yield f"targets: {_summary(list(_targets(account, groups)))}"
    except UnreadError as error:
        yield str(error)
    if log_group is not None:
        yield f"log: aws logs tail {log_group} --since 30m --region {account.region}"


def _service_state(account: Account, arn: str) -> Iterator[str]:
    cluster, name = arn.split("/")[-2:]
    answer = account.ask("ecs", "describe_services", ("ClusterNotFoundException",), cluster=cluster, services=[name])
    for service in answer["services"] if answer else ():
        yield f"service {name}: {service['runningCount']} of {service['desiredCount']} tasks run"
        for deployment in service.get("deployments", ()):
            state, reason = deployment.get("rolloutState", deployment["status"]), deployment.get("rolloutStateReason")
            yield f"  deployment {deployment['id']}: {state}" + (f" ({reason})" if reason else "")
        for event in service.get("events", ())[:3]:
            yield f"  {event['message']}"


def _targets(account: Account, groups: list[str]) -> Iterator[dict[str, Any]]:
    for group in groups:
        answer = account.ask("elbv2", "describe_target_health", TargetGroupArn=group)
        for target in answer["TargetHealthDescriptions"]:
            if target["TargetHealth"]["State"] not in ("draining", "unused"):
                yield target["TargetHealth"]


def _summary(targets: list[dict[str, Any]]) -> str:
    parts = ((health["State"], health.get("Reason"), health.get("Description")) for health in targets)
    return "; ".join(" ".join(filter(None, part)) for part in parts) or "none"
