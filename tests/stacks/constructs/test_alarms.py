from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from constructs import Construct

from stacks.constructs.alarms import REJECTIONS, FunctionAlarms, HostAlarms, ModelAlarms, ObjectiveAlarms
from stacks.constructs.queries import OF_TASKS, OF_THE_FUNCTION
from tests.stacks.alarm_evaluation import breaches
from tests.stacks.constructs.resources import balancer, made, pager
from tests.stacks.constructs.test_metrics import model_metrics

Alarms = dict[str, dict[str, Any]]


def alarms(make: Callable[[cdk.Stack], Construct]) -> Alarms:
    """Both kinds of alarms by what follows ``alphard-dev-`` in their names."""
    found = made(make, "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm").values()
    return {alarm["AlarmName"].removeprefix("alphard-dev-"): alarm for alarm in found}


def host_alarms(*, minimum: int = 2, maximum: int = 4, groups: int = 1) -> Alarms:
    return alarms(
        lambda stack: HostAlarms(
            stack, "Alarms", pager=pager(stack), balancer=balancer(groups=groups), minimum=minimum, maximum=maximum
        )
    )


def model_alarms(*, follows_alias: bool = True) -> Alarms:
    return alarms(
        lambda stack: ModelAlarms(
            stack, "Alarms", pager=pager(stack), metrics=model_metrics(stack), follows_alias=follows_alias
        )
    )


def function_alarms() -> Alarms:
    return alarms(
        lambda stack: FunctionAlarms(
            stack, "Alarms", pager=pager(stack), function_name="alphard-dev-function", deadline_seconds=15
        )
    )


def objective_alarms() -> Alarms:
    return alarms(
        lambda stack: ObjectiveAlarms(
            stack,
            "Alarms",
            pager=pager(stack),
            balancer=balancer(),
            availability_percent=99.9,
            latency_percent=99,
            latency_milliseconds=250,
        )
    )


def constant(number: float | None) -> Callable[..., float | None]:
    return lambda *_: number


@pytest.mark.parametrize("make", [host_alarms, model_alarms, function_alarms, objective_alarms])
def test_an_alarm_says_what_it_means_where_to_look_and_the_way_back(make: Callable[[], Alarms]) -> None:
    saved = {query.name for query in (*OF_TASKS, *OF_THE_FUNCTION)}
    for name, alarm in make().items():
        if "AlarmActions" not in alarm:
            assert "-burn-" in name
            continue
        means, look, places, back = alarm["AlarmDescription"].splitlines()
        assert means.startswith("Means: ")
        assert look.startswith("Look first: ")
        assert places.partition("Saved query: alphard/dev/")[2] in saved
        assert back.startswith("Back: ")
        assert len(alarm["AlarmDescription"]) < 900, name  # of 1024, with the names of a bucket in it


def test_objectives_are_watched_by_two_paces_each() -> None:
    acting = {name for name, alarm in objective_alarms().items() if "AlarmActions" in alarm}
    assert acting == {
        "availability-fast-burn",
        "availability-slow-burn",
        "latency-fast-burn",
        "latency-slow-burn",
    }


def test_no_healthy_host_is_an_alarm_and_so_is_no_word_of_any() -> None:
    alarm = host_alarms()["no-healthy-hosts"]
    assert [breaches(alarm, constant(number)) for number in (None, 0, 1)] == [True, True, False]


def test_a_deployment_between_two_target_groups_is_no_alarm() -> None:
    """The new tasks are in one group while the other is empty, or both are full."""
    found = host_alarms(groups=2)
    for counts in ((4, None), (None, 4), (0, 2), (3, 3)):

        def read(name: str, statistic: str, dimensions: Mapping[str, Any], counts: Any = counts) -> float | None:
            if name != "HealthyHostCount":
                return None
            number: float | None = counts["tasks1" in dimensions["TargetGroup"]]
            return number

        acting = {name for name, alarm in found.items() if breaches(alarm, read)}
        assert acting == ({"capacity-at-maximum"} if 4 in counts else set())


def test_tasks_are_too_few_below_the_minimum_and_at_capacity_at_the_maximum() -> None:
    found = host_alarms(minimum=2, maximum=4)
    few, full = found["too-few-healthy-hosts"], found["capacity-at-maximum"]
    assert [breaches(few, constant(number)) for number in (1, 2)] == [True, False]
    assert [breaches(full, constant(number)) for number in (3, 4, None)] == [False, True, False]


@pytest.mark.parametrize(
    ("minimum", "maximum", "missing"),
    [
        (1, 2, {"too-few-healthy-hosts"}),
        (2, 2, {"capacity-at-maximum"}),
        (1, 1, {"too-few-healthy-hosts", "capacity-at-maximum"}),
    ],
)
def test_an_alarm_that_could_say_nothing_new_is_not_made(minimum: int, maximum: int, missing: set[str]) -> None:
    every = {"no-healthy-hosts", "unhealthy-hosts", "too-few-healthy-hosts", "capacity-at-maximum"}
    assert host_alarms(minimum=minimum, maximum=maximum).keys() == every - missing


def test_each_reason_of_a_rejection_has_its_alarm() -> None:
    found = model_alarms()
    for reason in REJECTIONS:
        alarm = found[f"model-rejected-{reason}"]
        assert alarm["Dimensions"] == [{"Name": "reason", "Value": reason}]
        assert [breaches(alarm, constant(number)) for number in (None, 1)] == [False, True]


def test_a_pinned_version_has_no_alarm_on_promotion() -> None:
    pinned = model_alarms(follows_alias=False).keys()
    assert model_alarms().keys() - pinned == {"promotion-held-back", "alias-not-read"}


def test_the_function_is_watched_where_there_are_no_hosts() -> None:
    found = function_alarms()
    assert found.keys() == {"function-errors", "function-throttles", "function-duration"}
    assert breaches(found["function-duration"], constant(12_000))
    assert not breaches(found["function-duration"], constant(11_999))
    for alarm in found.values():
        assert not breaches(alarm, constant(None))
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "alphard-dev-function"}]
