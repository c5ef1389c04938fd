"""What fits tasks on Fargate, what fits a function on Lambda, and how many of them there may be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacks.settings._disagreement import Disagreement, given_below, is_given, no_such_key

if TYPE_CHECKING:
    from stacks.settings._environment import Environment

# By the CPU the least and the most memory, and the step between, but for the smallest, which has three sizes:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
_FARGATE_MEMORY_MIB = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16_384 + 1, 1024),
    4096: range(8192, 30_720 + 1, 1024),
    8192: range(16_384, 61_440 + 1, 4096),
    16_384: range(32_768, 122_880 + 1, 8192),
}
_LAMBDA_BODY_BYTES = 1_000_000
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html (limits)"""

_DEPLOYMENT_HOURS = 33
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-ecs-service-canaryconfiguration.html"""

_LINEAR_LEAST_PERCENT = 3
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinearConfiguration.html"""


def check_compute(environment: Environment) -> Iterator[Disagreement]:
    if environment.compute == "fargate":
        yield from _on_fargate(environment)
    else:
        yield from _on_lambda(environment)
    yield from _deployment(environment)
    yield from _scaling(environment)


def _on_fargate(environment: Environment) -> Iterator[Disagreement]:
    for key in given_below(environment, "function"):
        yield no_such_key(key, "compute is fargate")
    sizes = _FARGATE_MEMORY_MIB[environment.fargate.cpu]
    if environment.fargate.memory_mib not in sizes:
        step = f" in steps of {sizes.step}" if isinstance(sizes, range) else ""
        span = f"{sizes[0]} to {sizes[-1]}{step}" if step else ", ".join(map(str, sizes))
        yield Disagreement(
            "fargate.memory_mib", span, f"Fargate has no other with fargate.cpu {environment.fargate.cpu}"
        )


def _on_lambda(environment: Environment) -> Iterator[Disagreement]:
    for part in ("fargate", "scaling"):
        for key in given_below(environment, part):
            yield no_such_key(key, "compute is lambda, which has no tasks")
    for key in ("load_balancer.algorithm", "load_balancer.deregistration_delay_seconds"):
        if is_given(environment, key):
            yield no_such_key(key, "compute is lambda, a target without it")
    for key in given_below(environment, "load_balancer.health_check"):
        yield no_such_key(key, "compute is lambda, where each check would be an invocation: there is none")
    if environment.service.max_body_bytes > _LAMBDA_BODY_BYTES:
        yield Disagreement(
            "service.max_body_bytes",
            f"at most {_LAMBDA_BODY_BYTES} where compute is lambda",
            "the balancer sends no longer body to a function",
        )
    function = environment.function
    if function.reserved_concurrency is not None and function.provisioned_concurrency > function.reserved_concurrency:
        yield Disagreement(
            "function.provisioned_concurrency",
            f"at most function.reserved_concurrency ({function.reserved_concurrency})",
            "what is provisioned is a part of what is reserved",
        )


def _deployment(environment: Environment) -> Iterator[Disagreement]:
    deployment = environment.deployment
    steps = deployment.strategy in ("canary", "linear")
    for name in ("step_percent", "step_minutes"):
        if not steps and is_given(environment, f"deployment.{name}"):
            yield no_such_key(f"deployment.{name}", f"{deployment.strategy} has no steps: canary and linear have")
    if is_given(environment, "deployment.bake_minutes"):
        if environment.compute == "lambda":
            yield no_such_key("deployment.bake_minutes", "compute is lambda, and CodeDeploy is done at the last step")
        elif deployment.strategy == "rolling":
            yield no_such_key("deployment.bake_minutes", "rolling leaves nothing to go back to: ECS sets its time")
    if steps:
        yield from _steps(environment)


def _steps(environment: Environment) -> Iterator[Disagreement]:
    deployment, fargate = environment.deployment, environment.compute == "fargate"
    canary, percent = deployment.strategy == "canary", deployment.step_percent
    if canary and percent == 100:
        yield Disagreement("deployment.step_percent", "at most 99 with canary", "with all traffic nothing is compared")
    if not canary and fargate and percent < _LINEAR_LEAST_PERCENT:
        yield Disagreement(
            "deployment.step_percent", f"at least {_LINEAR_LEAST_PERCENT} with linear", "ECS takes no smaller steps"
        )
    if not fargate and deployment.step_minutes == 0:
        yield Disagreement(
            "deployment.step_minutes", "at least 1 where compute is lambda", "CodeDeploy waits between steps"
        )
    pauses = 1 if canary else math.ceil(100 / percent) - 1
    minutes = pauses * deployment.step_minutes + (deployment.bake_minutes if fargate else 0)
    if minutes > _DEPLOYMENT_HOURS * 60:
        yield Disagreement(
            "deployment.step_minutes",
            f"so few that {pauses} of them{' and the bake' if fargate else ''} take at most {_DEPLOYMENT_HOURS} hours",
            "CloudFormation refuses longer deployments",
        )


def _scaling(environment: Environment) -> Iterator[Disagreement]:
    for key, (least, most) in environment.scaling.bounds().items():
        if least > most:
            yield Disagreement(f"{key}.minimum_tasks", f"at most {key}.maximum_tasks ({most})", "it is the lower bound")
    names = [schedule.name for schedule in environment.scaling.schedules]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Disagreement(f"scaling.schedules[{index}].name", "a name of its own", "another schedule has it")
