"""The circuit breaker's arithmetic."""

from __future__ import annotations

import pytest

from rehearsal.ecs.breaker import Failures, failure_threshold


@pytest.mark.parametrize(
    ("desired", "threshold"), [(0, 3), (1, 3), (2, 3), (6, 3), (7, 4), (25, 13), (400, 200), (401, 200), (2000, 200)]
)
def test_the_threshold_is_half_of_the_tasks_between_3_and_200(desired: int, threshold: int) -> None:
    assert failure_threshold(desired) == threshold


def test_a_start_waits_longer_after_each_failed_one() -> None:
    failures, delays = Failures(), []
    for _ in range(6):
        failures.start_failed()
        delays.append(failures.delay_seconds)
    assert delays == [1, 2, 4, 8, 10, 10]


def test_a_task_that_becomes_ready_lets_the_count_begin_anew() -> None:
    failures = Failures()
    failures.start_failed()
    failures.check_failed()
    assert failures.count == 2
    failures.became_ready()
    assert (failures.count, failures.delay_seconds) == (0, 0)


def test_a_failed_health_check_delays_no_start() -> None:
    failures = Failures()
    failures.check_failed()
    assert (failures.count, failures.delay_seconds) == (1, 0)


def test_under_traffic_every_failure_counts() -> None:
    failures = Failures()
    failures.kept = True
    failures.check_failed()
    failures.became_ready()
    assert failures.count == 1
