"""The page that a person on call opens first, row by row: what clients meet, then what may be the cause."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.constructs import queries
from stacks.constructs.alarms import REJECTIONS
from stacks.constructs.metrics import MINUTE, Balancer, ModelMetrics, function_metric, tasks_metric
from stacks.constructs.queries import Query

_COLUMNS = 24
_THIRD = _COLUMNS // 3
_HALF = _COLUMNS // 2
_HEIGHT = 6

Row = Sequence[cloudwatch.IWidget]


class Dashboard(Construct):
    """The dashboard of this name: a row of the ``text`` in Markdown and the alarms' states, then ``rows``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        text: str,
        alarm_names: Sequence[str],
        rows: Sequence[Row],
    ) -> None:
        super().__init__(scope, construct_id)
        alarms = [cloudwatch.Alarm.from_alarm_name(self, each, each) for each in alarm_names]
        status = cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=_HALF, height=_HEIGHT)
        first = [cloudwatch.TextWidget(markdown=text, width=_HALF, height=_HEIGHT), status]
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            default_interval=cdk.Duration.hours(3),
            widgets=[first, *map(list, rows)],
        )


def clients_row(balancer: Balancer, *, latency_milliseconds: int) -> Row:
    """What clients meet: traffic, errors by class, latency beside its objective."""
    latency = [
        _by_minute(metric, statistic) for statistic in ("p50", "p90", "p99") for metric in balancer.latency(statistic)
    ]
    objective = cloudwatch.HorizontalAnnotation(value=latency_milliseconds / 1000, label="objective")
    errors = [
        _by_minute(balancer.client_errors(), "4xx"),
        _by_minute(balancer.server_errors(), "5xx of the service"),
        _by_minute(balancer.unanswered(), "no answer of the service"),
    ]
    return [
        _graph("Requests a minute", [_by_minute(balancer.requests(), "requests")]),
        _graph("Errors a minute", errors),
        _graph("Latency (seconds)", latency, annotations=[objective]),
    ]


def tasks_row(balancer: Balancer, *, cluster_name: str, service_name: str, minimum: int, maximum: int) -> Row:
    """How full the tasks are, and how many there are between their bounds."""
    use = [
        tasks_metric(name, statistic, cluster_name=cluster_name, service_name=service_name).with_(label=label)
        for name, statistic, label in (
            ("CPUUtilization", "Average", "CPU"),
            ("CPUUtilization", "Maximum", "CPU of the busiest"),
            ("MemoryUtilization", "Maximum", "memory of the fullest"),
        )
    ]
    per_task = [_by_minute(metric, "requests") for metric in balancer.requests_per_target()]
    hosts = [
        _by_minute(balancer.hosts("HealthyHostCount", cloudwatch.Stats.MAXIMUM), "healthy"),
        _by_minute(balancer.hosts("UnHealthyHostCount", cloudwatch.Stats.MAXIMUM), "unhealthy"),
    ]
    bounds = [
        cloudwatch.HorizontalAnnotation(value=minimum, label="minimum"),
        cloudwatch.HorizontalAnnotation(value=maximum, label="maximum"),
    ]
    return [
        _graph("CPU and memory (percent)", use),
        _graph("Requests a minute and task", per_task),
        _graph("Tasks", hosts, annotations=bounds),
    ]


def function_row(function_name: str) -> Row:
    """How full the function is, and what it refuses."""

    def metric(name: str, statistic: str) -> cloudwatch.Metric:
        return function_metric(name, statistic, function_name=function_name)

    return [
        _graph("Concurrent executions", [metric("ConcurrentExecutions", "Maximum")]),
        _graph("Failed and throttled invocations a minute", [metric("Errors", "Sum"), metric("Throttles", "Sum")]),
        _graph("Duration (milliseconds)", [metric("Duration", "p50"), metric("Duration", "p99")]),
    ]


def model_rows(metrics: ModelMetrics, *, log_group_name: str) -> Sequence[Row]:
    """Which versions answer, which were loaded or rejected, and why."""
    rejections = [metrics.rejections(reason).with_(label=reason) for reason in REJECTIONS]
    held_back = metrics.rejected().with_(label="promotion held back")
    return [
        [
            _table("Model versions served", queries.MODEL_VERSIONS, log_group_name, width=_HALF),
            _graph("Rejected models by reason", [*rejections, held_back], width=_HALF),
        ],
        [_table("Models loaded and rejected", queries.MODEL_EVENTS, log_group_name)],
    ]


def deployments_row(*, log_group_name: str) -> Row:
    """What ECS said of the service's deployments, newest first."""
    return [_table("Deployments", queries.DEPLOYMENTS, log_group_name)]


def _by_minute(metric: cloudwatch.Metric | cloudwatch.MathExpression, label: str) -> cloudwatch.IMetric:
    return metric.with_(label=label, period=MINUTE)


def _graph(
    title: str,
    metrics: Sequence[cloudwatch.IMetric],
    *,
    width: int = _THIRD,
    annotations: Sequence[cloudwatch.HorizontalAnnotation] = (),
) -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        left_annotations=list(annotations),
        left_y_axis=axis,
        width=width,
        height=_HEIGHT,
    )


def _table(title: str, query: Query, log_group_name: str, *, width: int = _COLUMNS) -> cloudwatch.LogQueryWidget:
    return cloudwatch.LogQueryWidget(
        title=title, log_group_names=[log_group_name], query_lines=list(query.lines), width=width, height=_HEIGHT
    )
