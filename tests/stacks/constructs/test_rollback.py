from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from service.loader import Status
from service.problems import KINDS
from stacks.constructs.metrics import Balancer
from stacks.constructs.rollback import RollbackAlarms
from tests.serving import ROW, FakeLoader, FakeModel, make_service
from tests.stacks.alarm_evaluation import Read, breaches
from tests.stacks.constructs.resources import balancer, made
from tests.stacks.constructs.test_metrics import published
from tests.stacks.service_lines import Line

Alarms = dict[str, dict[str, Any]]


def resources(of: Balancer, kind: str, **changed: Any) -> dict[str, dict[str, Any]]:
    narrow: dict[str, Any] = {
        "availability_percent": 99.9,
        "latency_percent": 99.0,
        "latency_milliseconds": 250,
        "load_deadline_seconds": 120.0,
    }
    return made(
        lambda stack: RollbackAlarms(
            stack,
            "Rollback",
            name="alphard-dev-{}".format,
            balancer=of,
            log_group_name="/alphard/dev/service",
            metric_namespace="Alphard/dev",
            **{**narrow, **changed},
        ),
        kind,
    )


def alarms(of: Balancer, **changed: Any) -> Alarms:
    """By what follows ``alphard-dev-rollback-`` in their names."""
    found = resources(of, "AWS::CloudWatch::Alarm", **changed)
    prefix = "alphard-dev-rollback-"
    assert all(alarm["AlarmName"].startswith(prefix) for alarm in found.values())
    return {alarm["AlarmName"].removeprefix(prefix): alarm for alarm in found.values()}


@pytest.fixture(scope="module")
def ours() -> Alarms:
    return alarms(balancer())


@pytest.fixture(scope="module")
def shared() -> Alarms:
    return alarms(balancer(shared=True, groups=2))


def minute(**of: float) -> Read:
    """A minute in which these metrics have these values, and no others have one."""

    def read(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        return of.get(name)

    return read


def answered(seconds: Mapping[str, list[float]]) -> Read:
    """A minute in which targets took as long, by their group."""

    def read(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        taken = seconds.get(dimensions.get("TargetGroup", ""), [])
        if name != "TargetResponseTime" or not taken:
            return None
        if statistic == "SampleCount":
            return len(taken)
        assert statistic == "PR(:0.25)"
        return 100 * sum(each <= 0.25 for each in taken) / len(taken)

    return read


# --- failed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "failures", "undone"),
    [(1000, 9, False), (1000, 10, True), (100, 2, False), (3, 3, True), (2, 2, False)],
)
def test_a_release_that_fails_ten_times_as_often_as_it_may_is_undone(
    ours: Alarms, requests: int, failures: int, undone: bool
) -> None:
    read = minute(RequestCount=requests, failed_requests=failures)
    assert breaches(ours["errors"], read) is undone


def test_a_minute_without_requests_undoes_nothing(ours: Alarms, shared: Alarms) -> None:
    for found in (*ours.values(), *shared.values()):
        assert not breaches(found, minute())


def test_lines_that_are_counted_before_their_requests_are_at_most_all(ours: Alarms) -> None:
    assert breaches(ours["errors"], minute(failed_requests=5))


@pytest.mark.parametrize("metric", ["HTTPCode_ELB_502_Count", "HTTPCode_ELB_504_Count"])
def test_a_task_that_dies_over_requests_is_a_failure(ours: Alarms, metric: str) -> None:
    assert breaches(ours["errors"], minute(RequestCount=100, **{metric: 4}))


def test_on_a_shared_balancer_only_what_is_ours_counts(shared: Alarms) -> None:
    def read(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        if dimensions and "TargetGroup" not in dimensions:
            return 1e6  # everybody's
        return {"RequestCount": 50.0, "TargetConnectionErrorCount": 0.0}.get(name)

    assert not breaches(shared["errors"], read)
    assert breaches(shared["errors"], minute(RequestCount=50, TargetConnectionErrorCount=2))


def test_what_a_client_did_and_what_the_service_meant_count_in_no_alarm(ours: Alarms, shared: Alarms) -> None:
    of_client = {"HTTPCode_Target_4XX_Count": 1e6, "HTTPCode_ELB_4XX_Count": 1e6}
    meant = {"HTTPCode_Target_5XX_Count": 1e6, "HTTPCode_ELB_503_Count": 1e6}
    for found in (*ours.values(), *shared.values()):
        assert not breaches(found, minute(RequestCount=1e6, **of_client, **meant))


def answers() -> list[Line]:
    """The lines of a prediction, of two requests that a client got wrong, of one that fails, and of one too soon."""
    service, early = make_service(), make_service(loader=FakeLoader(Status(None, "loading", None)))
    model = service.loader.current
    assert isinstance(model, FakeModel)
    service.ask("POST", "/predict", {"instances": [ROW]})
    service.ask("POST", "/predict", {"instances": [["wrong"]]})
    service.ask("GET", "/nowhere")

    def fail(rows: object) -> None:
        raise RuntimeError

    model.before = fail
    service.ask("POST", "/predict", {"instances": [ROW]})
    early.ask("POST", "/predict", {"instances": [ROW]})
    lines = [*service.lines.objects(), *early.lines.objects()]
    return [line for line in lines if line["event"] == "request"]


@pytest.mark.parametrize(("function", "failures"), [(False, [500]), (True, [500, 503])])
def test_of_the_services_lines_only_those_of_failures_count(function: bool, failures: list[int]) -> None:
    filters = resources(balancer(function=function), "AWS::Logs::MetricFilter")
    written = answers()
    assert [line["status"] for line in written] == [200, 422, 404, 500, 503]
    assert [line["status"] for line in written if published(filters, line)] == failures


def test_the_service_has_one_failure_that_it_does_not_mean() -> None:
    assert {kind.status for kind in KINDS if kind.status >= 500} == {500, 503}


def test_what_the_lines_tell_is_what_is_read(ours: Alarms) -> None:
    (each,) = resources(balancer(), "AWS::Logs::MetricFilter").values()
    (published_as,) = each["MetricTransformations"]
    read = [query["MetricStat"]["Metric"] for query in ours["errors"]["Metrics"] if "MetricStat" in query]
    assert {"Namespace": published_as["MetricNamespace"], "MetricName": published_as["MetricName"]} in read


# --- slow ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slow", "of", "undone"), [(10, 100, True), (9, 100, False), (2, 4, False), (3, 3, True)])
def test_a_release_that_is_slow_ten_times_as_often_as_it_may_is_undone(
    ours: Alarms, slow: int, of: int, undone: bool
) -> None:
    taken = [0.3] * slow + [0.25] * (of - slow)
    assert breaches(ours["latency"], answered({"targetgroup/tasks0/0": taken})) is undone


def test_a_few_requests_to_new_tasks_show_beside_many_to_the_old() -> None:
    found = alarms(balancer(groups=2))
    read = answered({"targetgroup/tasks0/0": [0.01] * 10_000, "targetgroup/tasks1/0": [0.9] * 20})
    assert breaches(found["latency2"], read)
    assert not breaches(found["latency"], read)


def test_the_objectives_say_how_much_is_too_much() -> None:
    found = alarms(balancer(), availability_percent=99.99, latency_percent=95.0)
    assert (found["errors"]["Threshold"], found["latency"]["Threshold"]) == (0.1, 50)


# --- not ready -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deadline", "minutes"), [(30, 3), (120, 5), (121, 7)])
def test_a_task_may_be_unready_for_twice_as_long_as_it_may_load(deadline: float, minutes: int) -> None:
    found = alarms(balancer(), load_deadline_seconds=deadline)["unready"]
    assert (found["EvaluationPeriods"], found["DatapointsToAlarm"], found["Period"]) == (minutes, minutes, 60)
    assert breaches(found, minute(UnHealthyHostCount=1))
    assert not breaches(found, minute(UnHealthyHostCount=0))


def test_a_function_has_no_tasks_that_could_be_unready() -> None:
    assert alarms(balancer(function=True)).keys() == {"errors", "latency"}


# --- all -------------------------------------------------------------------------------------------------------------


def test_two_bad_minutes_of_three_undo_a_release_and_one_does_not(ours: Alarms) -> None:
    for name in ("errors", "latency"):
        assert (ours[name]["EvaluationPeriods"], ours[name]["DatapointsToAlarm"]) == (3, 2)
        periods = {query["MetricStat"]["Period"] for query in ours[name]["Metrics"] if "MetricStat" in query}
        assert periods == {60}


def test_they_wake_nobody(ours: Alarms) -> None:
    assert not [found for found in ours.values() if "AlarmActions" in found]
