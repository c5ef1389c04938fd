from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.constructs.burn_rate import MINIMUM_BAD_REQUESTS, PACES, BurnRate
from stacks.constructs.metrics import Share
from tests.stacks.alarm_evaluation import Read, breaches, value
from tests.stacks.constructs.resources import balancer, made

Alarms = dict[str, dict[str, Any]]


def alarms(share: Share, percent: float = 99.9) -> Alarms:
    """The alarms on windows, by the ends of their names, such as ``1h``."""
    found = made(
        lambda stack: BurnRate(
            stack,
            "Burn",
            name="alphard-dev-availability",
            percent=percent,
            share=share,
            describe="gone in {} days".format,
        ),
        "AWS::CloudWatch::Alarm",
    )
    return {alarm["AlarmName"].rpartition("-")[2]: alarm for alarm in found.values()}


def counts(**of: float) -> Read:
    """Metrics of a balancer that have these values and no others."""

    def read(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        return of.get(name)

    return read


@pytest.fixture(scope="module")
def availability() -> Alarms:
    return alarms(balancer().failed())


@pytest.fixture(scope="module")
def latency() -> Alarms:
    return alarms(balancer().slow(0.25), percent=99)


def periods(alarm: Mapping[str, Any]) -> set[int]:
    return {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}


def test_the_windows_are_those_of_the_paces(availability: Alarms) -> None:
    assert {name: (periods(alarm), alarm["Threshold"]) for name, alarm in availability.items()} == {
        "1h": ({3600}, 14.4),
        "5m": ({300}, 14.4),
        "6h": ({21600}, 6),
        "30m": ({1800}, 6),
    }


@pytest.mark.parametrize("window", ["1h", "5m", "6h", "30m"])
def test_the_burn_rate_is_the_share_of_bad_requests_over_the_share_allowed(availability: Alarms, window: str) -> None:
    read = counts(RequestCount=10_000, HTTPCode_Target_5XX_Count=60, HTTPCode_ELB_5XX_Count=40)
    assert value(availability[window], read) == pytest.approx(1 / 0.1)


@pytest.mark.parametrize("pace", PACES)
def test_an_alarm_begins_at_its_pace(availability: Alarms, pace: Any) -> None:
    window = {"fast": "1h", "slow": "6h"}[pace.name]
    at = pace.factor * 1_000
    assert breaches(availability[window], counts(RequestCount=1_000_000, HTTPCode_Target_5XX_Count=at + 1))
    assert not breaches(availability[window], counts(RequestCount=1_000_000, HTTPCode_Target_5XX_Count=at - 1))


def test_without_traffic_nobody_is_woken(availability: Alarms, latency: Alarms) -> None:
    for alarm in (*availability.values(), *latency.values()):
        assert not breaches(alarm, counts())
        assert not breaches(alarm, counts(RequestCount=0, TargetResponseTime=0))


def test_a_few_failures_wake_nobody_even_if_they_are_all_the_traffic(availability: Alarms) -> None:
    few = MINIMUM_BAD_REQUESTS - 1
    read = counts(RequestCount=few, HTTPCode_Target_5XX_Count=few)
    assert not breaches(availability["1h"], read)
    assert not breaches(availability["6h"], read)
    assert breaches(availability["5m"], read)


def test_requests_for_which_there_is_no_target_count_though_the_balancer_counts_no_request(
    availability: Alarms,
) -> None:
    read = counts(HTTPCode_ELB_5XX_Count=500)
    assert value(availability["1h"], read) == pytest.approx(100 / 0.1)


def slow(share: float, requests: float) -> Read:
    """So many requests, of which this share took too long."""
    of: Mapping[str, float] = {"SampleCount": requests, "PR(:0.25)": 100 * (1 - share)}

    def read(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        return of[statistic] if name == "TargetResponseTime" else None

    return read


def test_latency_burns_by_the_share_of_slow_requests(latency: Alarms) -> None:
    assert value(latency["1h"], slow(0.2, 5_000)) == pytest.approx(20)
    assert not breaches(latency["1h"], slow(0.14, 5_000))
    assert breaches(latency["1h"], slow(0.15, 5_000))
    assert not breaches(latency["1h"], slow(1, MINIMUM_BAD_REQUESTS - 1))


def test_only_both_windows_together_act() -> None:
    share = balancer().failed()
    composites = made(
        lambda stack: BurnRate(stack, "Burn", name="a", percent=99.9, share=share, describe="gone in {} days".format),
        "AWS::CloudWatch::CompositeAlarm",
    )
    assert {each["AlarmName"]: each["AlarmRule"] for each in composites.values()} == {
        "a-fast-burn": 'ALARM("a-burn-1h") AND ALARM("a-burn-5m")',
        "a-slow-burn": 'ALARM("a-burn-6h") AND ALARM("a-burn-30m")',
    }
    assert [each["AlarmDescription"] for each in composites.values()] == ["gone in 2 days", "gone in 5 days"]


def test_of_a_shared_balancer_our_target_groups_are_added_up() -> None:
    found = alarms(balancer(shared=True, groups=2).failed())

    def read(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        group = dimensions["TargetGroup"]
        of = {"RequestCount": 1_000, "HTTPCode_Target_5XX_Count": 20} if "tasks0" in group else {"RequestCount": 1_000}
        return {**of, "TargetConnectionErrorCount": 10}.get(name)

    assert value(found["1h"], read) == pytest.approx(100 * 40 / 2_000 / 0.1)


def test_latency_of_two_target_groups_is_weighed_by_their_requests() -> None:
    found = alarms(balancer(shared=True, groups=2).slow(0.25), percent=99)

    def read(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        first = "tasks0" in dimensions["TargetGroup"]
        return (900 if first else 100) if statistic == "SampleCount" else (100 if first else 0)

    assert value(found["1h"], read) == pytest.approx(10)


def test_an_alarm_reads_no_more_metrics_than_cloudwatch_takes() -> None:
    """Ten, and as many expressions: the maximum of PutMetricAlarm."""
    for one in (balancer(shared=True, groups=2), balancer(shared=True, function=True)):
        for share in (one.failed(), one.slow(0.25)):
            for alarm in alarms(share).values():
                assert sum("MetricStat" in query for query in alarm["Metrics"]) <= 10
                assert sum("Expression" in query for query in alarm["Metrics"]) <= 10
