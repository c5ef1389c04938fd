"""What becomes of a release whose tasks fail: they are started more slowly, and the circuit breaker trips."""

from __future__ import annotations

import math

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 10.0


def failure_threshold(desired: int) -> int:
    """Half of the desired tasks, rounded up, between 3 and 200.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html; since July 2026 it can
    be set (API_ThresholdConfiguration.html), and this is the default, BOUNDED_PERCENT of 50.
    """
    return min(max(3, math.ceil(desired / 2)), 200)


class Failures:
    """Of one revision, in a row: ``count`` for the circuit breaker, ``starts`` for the time until the next start.

    A task that becomes ready sets both to zero (resetOnHealthyTask, by default, in API_DeploymentCircuitBreaker.html).
    AWS has two stages: tasks that never were RUNNING, then, as soon as one was, tasks that fail health checks. A
    process runs as soon as it is started, so here one count serves for both, and a start has failed if the task ended
    by itself before it was ready. One that was ready and then stopped is not counted ("might not activate":
    https://repost.aws/knowledge-center/ecs-deployment-roll-back-failure).

    Once traffic is shifting to the revision, failures are ``kept``: every task that fails is counted, and none that
    becomes ready resets the count. AWS leaves what fails under traffic to alarms, which nothing here evaluates. Whether
    the breaker watches a shift at all is said both ways: the guide (deployment-failure-detection.html) has it for
    "rolling update deployment and blue/green deployment types", the API (API_DeploymentCircuitBreaker.html) only for
    rolling updates. Taken from the guide.
    """

    def __init__(self) -> None:
        self.count = 0
        self.starts = 0
        self.kept = False

    def start_failed(self) -> None:
        self.count += 1
        self.starts += 1

    def check_failed(self) -> None:
        self.count += 1

    def became_ready(self) -> None:
        if not self.kept:
            self.count = self.starts = 0

    @property
    def delay_seconds(self) -> float:
        """How long the next start waits after a failed one.

        AWS says only that the time between attempts grows, up to 27 minutes
        (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html): a rehearsal doubles
        it from a second up to ten.
        """
        return min(FIRST_DELAY_SECONDS * 2 ** (self.starts - 1), LONGEST_DELAY_SECONDS) if self.starts else 0.0
