"""What an environment in production owes, and what its people are told by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacks.settings._disagreement import Disagreement

if TYPE_CHECKING:
    from stacks.settings._environment import Environment


def check_operation(environment: Environment) -> Iterator[Disagreement]:
    yield from _model(environment)
    yield from _place(environment)
    yield from _delivery(environment)
    if environment.operations.alert_emails and environment.operations.topic != "own":
        yield Disagreement(
            "operations.alert_emails",
            'an "own" operations.topic',
            "the subscriptions of an adopted topic are its owner's",
        )
    if environment.production:
        yield from _production(environment)


def _model(environment: Environment) -> Iterator[Disagreement]:
    model = environment.model
    if (model.alias is None) == (model.version is None):
        yield Disagreement("model", "either an alias or a version", "an alias is followed, a version is pinned")


def _place(environment: Environment) -> Iterator[Disagreement]:
    if (environment.account is None) != (environment.region is None):
        missing, given = ("region", "account") if environment.region is None else ("account", "region")
        yield Disagreement(missing, f"a value beside {given}", "the CDK knows a place by both, or by neither")


def _delivery(environment: Environment) -> Iterator[Disagreement]:
    delivery = environment.delivery
    if delivery is not None and (delivery.owner_id is None) != (delivery.repository_id is None):
        missing, given = ("owner_id", "repository_id") if delivery.owner_id is None else ("repository_id", "owner_id")
        yield Disagreement(
            f"delivery.{missing}", f"a number beside delivery.{given}", "GitHub puts both into a subject"
        )


def _production(environment: Environment) -> Iterator[Disagreement]:
    door = environment.load_balancer
    if door.listener == "own" and door.scheme == "internet-facing" and door.certificate is None:
        yield Disagreement(
            "load_balancer.certificate",
            '"own" or {"adopt": {"arn": "..."}} in production, or load_balancer.scheme internal',
            "clients would send their rows over the internet in plain text",
        )
    if environment.compute == "fargate":
        yield from _production_on_fargate(environment)


def _production_on_fargate(environment: Environment) -> Iterator[Disagreement]:
    for key, (least, _) in environment.scaling.bounds().items():
        if least < 2:
            yield Disagreement(
                f"{key}.minimum_tasks", "at least 2 in production", "one task is lost with its zone or its host"
            )
    if environment.fargate.spot_percent == 100:
        yield Disagreement(
            "fargate.spot_percent", "less than 100 in production", "AWS may take every Spot task back at once"
        )
