"""The order of the timeouts: of a request, of a connection, and of a task's end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacks.settings._disagreement import Disagreement

if TYPE_CHECKING:
    from stacks.settings._environment import Environment

_LIFESPAN_SECONDS = 5
"""What a task may take to end after its last request (service/server.py); until the stop timeout kills it."""

_SPOT_NOTICE_SECONDS = 120
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html"""


def check_timeouts(environment: Environment) -> Iterator[Disagreement]:
    yield from _of_a_request(environment)
    if environment.compute == "fargate":
        yield from _of_a_drain(environment)
        yield from _of_an_end(environment)
    yield from _of_a_health_check(environment)


def _of_a_request(environment: Environment) -> Iterator[Disagreement]:
    service, idle = environment.service, environment.load_balancer.idle_timeout_seconds
    if idle <= service.request_deadline_seconds:
        yield Disagreement(
            "load_balancer.idle_timeout_seconds",
            f"more than service.request_deadline_seconds ({service.request_deadline_seconds:g})",
            "the balancer would give up a request that is still answered",
        )
    if service.keep_alive_seconds <= idle:
        yield Disagreement(
            "service.keep_alive_seconds",
            f"more than load_balancer.idle_timeout_seconds ({idle})",
            "the balancer would send a request into a connection that the service has closed",
        )
    if service.graceful_timeout_seconds < service.request_deadline_seconds:
        yield Disagreement(
            "service.graceful_timeout_seconds",
            f"at least service.request_deadline_seconds ({service.request_deadline_seconds:g})",
            "a request of the hold's last moment must have time to be answered",
        )
    if environment.operations.latency_milliseconds >= service.request_deadline_seconds * 1000:
        yield Disagreement(
            "operations.latency_milliseconds",
            f"less than service.request_deadline_seconds ({service.request_deadline_seconds:g})",
            "no answer takes longer than the deadline, so the objective could not be missed",
        )


def _of_a_drain(environment: Environment) -> Iterator[Disagreement]:
    service, check = environment.service, environment.load_balancer.health_check
    seen = check.interval_seconds * check.unhealthy_count + check.timeout_seconds
    if service.drain_hold_seconds < seen:
        yield Disagreement(
            "service.drain_hold_seconds",
            f"at least {seen}, the health check's interval * unhealthy count + timeout",
            "until then the balancer may send requests to a task that was told to stop",
        )
    delay = environment.load_balancer.deregistration_delay_seconds
    if delay < service.request_deadline_seconds:
        yield Disagreement(
            "load_balancer.deregistration_delay_seconds",
            f"at least service.request_deadline_seconds ({service.request_deadline_seconds:g})",
            "a request in flight must have time to be answered",
        )
    if environment.fargate.spot_percent and delay >= _SPOT_NOTICE_SECONDS:
        yield Disagreement(
            "load_balancer.deregistration_delay_seconds",
            f"less than {_SPOT_NOTICE_SECONDS} with fargate.spot_percent {environment.fargate.spot_percent}",
            f"a Spot task is gone {_SPOT_NOTICE_SECONDS} s after its notice",
        )


def _of_an_end(environment: Environment) -> Iterator[Disagreement]:
    service = environment.service
    least = service.drain_hold_seconds + service.graceful_timeout_seconds + _LIFESPAN_SECONDS
    if environment.fargate.stop_timeout_seconds <= least:
        yield Disagreement(
            "fargate.stop_timeout_seconds",
            f"more than {least:g}, service.drain_hold_seconds + service.graceful_timeout_seconds + {_LIFESPAN_SECONDS}",
            "the task would be killed while it drains",
        )


def _of_a_health_check(environment: Environment) -> Iterator[Disagreement]:
    check = environment.load_balancer.health_check
    if check.timeout_seconds >= check.interval_seconds:
        yield Disagreement(
            "load_balancer.health_check.timeout_seconds",
            f"less than load_balancer.health_check.interval_seconds ({check.interval_seconds})",
            "the balancer ends one check before the next",
        )
