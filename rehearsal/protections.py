"""The same scenes with one protection turned off: what each is worth, and that the rehearsal would have noticed.

Some of these the environment's own settings refuse (stacks/settings), so they are turned off in what was read.
"""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.deployed import Deployed
from rehearsal.ecs.ending import Order
from rehearsal.scene import Scene
from rehearsal.scenes import SCENES

_CHECKED, _UNCHECKED = "service", "rehearsal.without_golden_check"


def exposed() -> list[Scene]:
    """A scene of the same name for each protection, which is off."""
    return [
        _without("drain hold", "a new image tag", "SIGTERM first", _environment(DRAIN_HOLD_SECONDS="0")),
        # The service refuses a keep-alive that its request deadline could exceed.
        _without(
            "keep-alive over the idle timeout",
            "clients that pause",
            "drain first",
            _environment(KEEP_ALIVE_SECONDS="5", REQUEST_DEADLINE_SECONDS="4"),
        ),
        _without("readiness as health check", "a release whose artifact is damaged", "drain first", _live),
        _without("golden check", "a release whose golden answers differ", "drain first", _unchecked),
        _without("minimum healthy percent", "a task is killed while rolling", "drain first", _half_healthy),
        _without("least outstanding requests", "a task hangs", "drain first", _round_robin),
        _without("deregistration delay", "slow and stuck clients", "drain first", _no_delay),
        _without("stop timeout", "slow and stuck clients", "SIGTERM first", _short_stop),
    ]


def _without(protection: str, name: str, order: Order, change: Callable[[Deployed], Deployed]) -> Scene:
    (scene,) = (each for each in SCENES if (each.name, each.order) == (name, order))
    return scene._replace(without=protection, change=change)


def _environment(**variables: str) -> Callable[[Deployed], Deployed]:
    told = {f"ALPHARD_{key}": value for key, value in variables.items()}

    def change(deployed: Deployed) -> Deployed:
        task = deployed.task
        return deployed._replace(task=task._replace(environment={**task.environment, **told}))

    return change


def _live(deployed: Deployed) -> Deployed:
    return deployed._replace(target_group=deployed.target_group._replace(health_path="/live"))


def _unchecked(deployed: Deployed) -> Deployed:
    command = tuple(_UNCHECKED if word == _CHECKED else word for word in deployed.task.command)
    return deployed._replace(task=deployed.task._replace(command=command))


def _half_healthy(deployed: Deployed) -> Deployed:
    return deployed._replace(service=deployed.service._replace(minimum_healthy_percent=50))


def _round_robin(deployed: Deployed) -> Deployed:
    return deployed._replace(target_group=deployed.target_group._replace(algorithm="round_robin"))


def _no_delay(deployed: Deployed) -> Deployed:
    return deployed._replace(target_group=deployed.target_group._replace(deregistration_delay_seconds=0))


def _short_stop(deployed: Deployed) -> Deployed:
    return deployed._replace(task=deployed.task._replace(stop_timeout_seconds=5))
