from __future__ import annotations

import pytest

from benchmarks.measure import ONE_ROW, SOME_ROWS
from benchmarks.tasks import COUNTS, GB_PER_VCPU, VCPUS, offers
from stacks.settings._compute import _FARGATE_MEMORY_MIB
from tests.benchmarks.finding import scale


def test_a_size_has_the_least_memory_that_fargate_has_with_it() -> None:
    assert [min(_FARGATE_MEMORY_MIB[int(vcpus * 1024)]) for vcpus in VCPUS] == [
        vcpus * GB_PER_VCPU * 1024 for vcpus in VCPUS
    ]


def test_only_what_was_measured_is_offered_and_larger_tasks_do_what_one_core_does() -> None:
    found = offers(scale().tasks.measured)
    assert [(each.vcpus, each.tasks) for each in found] == [(vcpus, count) for vcpus in (1, 2, 4) for count in COUNTS]
    assert {each.rates[ONE_ROW] / each.tasks for each in found} == {10_000}


def test_a_month_costs_what_its_tasks_cost_and_is_shared_by_its_requests() -> None:
    one, two, *_ = offers(scale().tasks.measured)
    assert one.usd == pytest.approx(730 * (0.04048 + 2 * 0.004445))
    assert two.usd == 2 * one.usd
    assert one.usd_a_million(SOME_ROWS) == pytest.approx(one.usd / (2_000 * 730 * 3600 / 1e6))
