"""The whole way from a commit to an environment that answers, told step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from stacks.account.cdk import cdk
from stacks.account.connection import Account
from stacks.account.doctor import examine
from stacks.account.foundation import bootstrap_version, has_ecs_role, make_ecs_role
from stacks.account.image import Builder, build_and_push, is_pushed, uncommitted
from stacks.account.model import find_version, how_to_publish, publish_example
from stacks.account.proof import prove
from stacks.account.release import Release
from stacks.account.state import describe_state
from stacks.assembly import Assembly
from stacks.cost import estimate, table
from stacks.errors import CommandError
from stacks.settings import Environment

_FIRST = ("Storage", "Network")
"""The stacks that need no image, and that hold what the image and the model are put into."""

# The person has agreed to the plan.
_UNASKED = ("--require-approval", "never")


class Plan(NamedTuple):
    """What is about to be deployed where, and what the account has of it already."""

    environment: Environment
    account: Account
    assembly: Assembly
    release: Release
    commit: str
    bootstrapped: bool
    ecs_role_needed: bool
    image_pushed: bool
    model_version: str | None
    requests_per_second: float


def make_plan(
    environment: Environment,
    account: Account,
    assembly: Assembly,
    release: Release,
    *,
    commit: str,
    requests_per_second: float,
) -> Plan:
    """Raises UnreadError if the account does not tell what it has."""
    return Plan(
        environment,
        account,
        assembly,
        release,
        commit,
        bootstrap_version(account) is not None,
        environment.compute == "fargate" and not has_ecs_role(account),
        is_pushed(account, release.image),
        find_version(account, release.model),
        requests_per_second,
    )


def describe(plan: Plan) -> Iterator[str]:
    """What is about to happen, a line each, and what it costs a month."""
    account, image, model = plan.account, plan.release.image, plan.release.model
    yield f"environment  {plan.environment.name}"
    yield f"account      {account.id}, as {account.caller}"
    yield f"region       {account.region}"
    yield f"commit       {plan.commit}"
    yield f"bootstrap    {'present' if plan.bootstrapped else 'missing: the CDK is bootstrapped first'}"
    if plan.ecs_role_needed:
        yield "ECS's role   missing: IAM makes it first"
    image_plan = "present" if plan.image_pushed else f"missing: built for {image.platform} and pushed"
    yield f"image        {image}: {image_plan}"
    yield f"model        {model}: {_model_plan(plan)}"
    yield f"stacks       {', '.join(plan.assembly.stack_names.values())}"
    if changed := uncommitted():
        yield f"note         {len(changed)} paths differ from the commit: the infrastructure is deployed as it stands"
    yield ""
    yield table("monthly estimate", estimate(plan.assembly.resources(), plan.requests_per_second))


def _model_plan(plan: Plan) -> str:
    if plan.model_version is not None:
        return f"version {plan.model_version}"
    if plan.release.model.is_example:
        return "missing: the example is published"
    return "missing: this stops before the service, and says how to publish it"


def deploy(
    plan: Plan,
    say: Callable[[str], None],
    *,
    build: Builder = build_and_push,
    reach: Callable[[str], str] = str,
) -> str:
    """Does it, step by step, and returns what was proven in the end.

    ``build`` makes the image where it is missing; ``reach`` makes of the printed URL the one that is reached from here.
    Raises CommandError at the first step that fails; what was done stays, and the next run goes on from there.
    """
    account, assembly = plan.account, plan.assembly
    if not plan.bootstrapped:
        say("bootstrapping the CDK")
        cdk(account, assembly, "bootstrap", f"aws://{account.id}/{account.region}")
    if plan.ecs_role_needed:
        say("having ECS's role made")
        make_ecs_role(account)
    say("looking at the account")
    _stop_at_faults(plan, say)
    say(f"deploying {' and '.join(_FIRST)}")
    cdk(account, assembly, "deploy", *_FIRST, *_UNASKED)
    _bring_image(plan, say, build)
    _bring_model(plan, say)
    rest = [name for name in assembly.stack_names if name not in _FIRST]
    say(f"deploying {', '.join(rest)}")
    try:
        cdk(account, assembly, "deploy", *rest, "--exclusively", *_UNASKED)
        say("verifying")
        return prove(plan.environment, account, assembly, plan.release.model, say=say, reach=reach)
    except CommandError:
        for line in describe_state(account, assembly, plan.release.log_group):
            say(line)
        raise


def _stop_at_faults(plan: Plan, say: Callable[[str], None]) -> None:
    found = examine(plan.environment, plan.account, plan.assembly, plan.release)
    for finding in found:
        say(str(finding))
    faults = [finding for finding in found if finding.kind == "fault"]
    if faults:
        raise CommandError(f"{len(faults)} thing{'s' if len(faults) > 1 else ''} must be put in order first: see above")


def _bring_image(plan: Plan, say: Callable[[str], None], build: Builder) -> None:
    if plan.image_pushed:
        return
    say(f"building {plan.release.image}")
    build(plan.account, plan.release.image, plan.commit)
    if not is_pushed(plan.account, plan.release.image):
        raise CommandError(f"{plan.release.image} was pushed, but the repository does not have it")


def _bring_model(plan: Plan, say: Callable[[str], None]) -> None:
    model = plan.release.model
    if find_version(plan.account, model) is not None:
        return
    if not model.is_example:
        raise CommandError(f"{model} is not published: {how_to_publish(model)}, then deploy again")
    say(f"publishing the example as {model}")
    publish_example(plan.account, model)
