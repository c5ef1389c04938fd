from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import orjson
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch

from service.telemetry import Metrics
from stacks.constructs.alarms import REJECTIONS
from stacks.constructs.metrics import ModelMetrics
from tests.stacks import service_lines as lines_of
from tests.stacks.constructs.resources import balancer, made
from tests.stacks.service_lines import Line

_COMPARISON = re.compile(r'\$\.(\w+) (=|>) (?:"(\w+)"|(\d+))')


def matches(pattern: str, line: Line) -> bool:
    """Whether CloudWatch Logs would take the line: each comparison of ``{ $.key = "text" && $.key > 0 }`` holds.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
    """
    for term in pattern.strip("{} ").split(" && "):
        found = _COMPARISON.fullmatch(term)
        assert found, term
        key, comparison, text, number = found.groups()
        given = line.get(key)
        if text is not None:
            if given != text:
                return False
        elif not isinstance(given, int | float) or not (
            given == int(number) if comparison == "=" else given > int(number)
        ):
            return False
    return True


def published(filters: dict[str, Any], line: Line) -> dict[str, tuple[float, dict[str, str]]]:
    """The values that these filters make of the line, with their dimensions, by metric."""
    found = {}
    for each in filters.values():
        if matches(each["FilterPattern"], line):
            (made_of,) = each["MetricTransformations"]
            given = made_of["MetricValue"]
            number = line[given.removeprefix("$.")] if given.startswith("$.") else given
            dimensions = {
                one["Key"]: str(line[one["Value"].removeprefix("$.")]) for one in made_of.get("Dimensions", ())
            }
            found[made_of["MetricName"]] = float(number), dimensions
    return found


def model_metrics(stack: cdk.Stack) -> ModelMetrics:
    return ModelMetrics(stack, "Model", namespace="Alphard/dev", log_group_name="/alphard/dev/service")


@pytest.fixture(scope="module")
def filters() -> dict[str, Any]:
    return made(model_metrics, "AWS::Logs::MetricFilter")


@pytest.mark.parametrize("reason", REJECTIONS)
def test_a_rejected_model_is_counted_by_its_reason(filters: dict[str, Any], reason: str, tmp_path: Path) -> None:
    line = lines_of.rejected(tmp_path, lines_of.REJECTIONS[reason])
    assert published(filters, line) == {"model_rejections": (1, {"reason": reason})}


def test_every_reason_of_the_service_is_known() -> None:
    assert lines_of.REJECTIONS.keys() == REJECTIONS.keys()


def test_a_promotion_that_is_held_back_shows_while_it_lasts(filters: dict[str, Any]) -> None:
    metrics = Metrics()
    metrics.gauge("model_rejected", 0)
    assert [published(filters, line) for line in _flushed(metrics)] == [{}]
    metrics.gauge("model_rejected", 1)
    for _ in range(2):
        assert [published(filters, line) for line in _flushed(metrics)] == [{"model_rejected": (1, {})}]


def _flushed(metrics: Metrics) -> list[Line]:
    return [orjson.loads(line) for line in metrics.flush(namespace="Alphard", service="alphard", timestamp_ms=0)]


def test_what_a_process_lived_through_is_what_the_metrics_tell(
    filters: dict[str, Any], service_lines: list[Line]
) -> None:
    """It rejected a promotion for its bundle, and then lost its alias."""
    told = [published(filters, line) for line in service_lines]
    assert [each["model_rejections"] for each in told if "model_rejections" in each] == [(1, {"reason": "bundle"})]
    assert {each["model_rejected"] for each in map(_values, told) if "model_rejected" in each} == {1}
    failures = sum(each["alias_poll_failures"] for each in map(_values, told) if "alias_poll_failures" in each)
    assert failures == sum(line.get("event") == "alias_not_read" for line in service_lines) > 0


def _values(told: dict[str, tuple[float, dict[str, str]]]) -> dict[str, float]:
    return {name: number for name, (number, _) in told.items()}


def test_what_is_read_is_what_the_filters_publish(filters: dict[str, Any]) -> None:
    transformations = [each["MetricTransformations"][0] for each in filters.values()]
    published_names = {
        (each["MetricNamespace"], each["MetricName"], *(one["Key"] for one in each.get("Dimensions", ())))
        for each in transformations
    }
    metrics = model_metrics(cdk.Stack(cdk.App(analytics_reporting=False)))
    read = [metrics.rejections("golden"), metrics.rejected(), metrics.alias_poll_failures()]
    assert {(each.namespace, each.metric_name, *(each.dimensions or ())) for each in read} == published_names


def test_an_own_balancer_is_read_whole_with_its_own_errors() -> None:
    own = balancer(groups=2)
    for metric in _read(own.failed().bad, own.failed().total):
        assert metric.dimensions == {"LoadBalancer": "app/ours/0"}
    assert {metric.metric_name for metric in _read(own.unanswered())} == {"HTTPCode_ELB_5XX_Count"}


@pytest.mark.parametrize(
    ("function", "expected"),
    [(False, {"TargetConnectionErrorCount"}), (True, {"LambdaInternalError", "LambdaUserError"})],
)
def test_of_a_shared_balancer_only_our_target_groups_are_read(function: bool, expected: set[str]) -> None:
    shared = balancer(shared=True, function=function, groups=2)
    for metric in _read(shared.failed().bad, shared.failed().total, shared.slow(0.25).bad, shared.slow(0.25).total):
        assert (metric.dimensions or {}).keys() == {"LoadBalancer", "TargetGroup"}
    assert {metric.metric_name for metric in _read(shared.unanswered())} == expected
    assert len(shared.latency("p50")) == len(shared.requests_per_target()) == 2


def _read(*expressions: cloudwatch.MathExpression) -> list[cloudwatch.Metric]:
    """The metrics beneath."""
    found: list[cloudwatch.Metric] = []
    for expression in expressions:
        for metric in expression.using_metrics.values():
            if isinstance(metric, cloudwatch.MathExpression):
                found += _read(metric)
            else:
                assert isinstance(metric, cloudwatch.Metric)
                found.append(metric)
    return found


def test_hosts_of_one_target_group_are_a_plain_metric_and_of_two_the_greater() -> None:
    one, two = (balancer(groups=groups).hosts("HealthyHostCount", "Maximum") for groups in (1, 2))
    assert isinstance(one, cloudwatch.Metric)
    assert isinstance(two, cloudwatch.MathExpression)
    assert two.expression == "MAX([healthyhostcount0, healthyhostcount1])"
