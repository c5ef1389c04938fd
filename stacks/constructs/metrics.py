"""The figures that alarms and the dashboard rest on: of the balancer, the tasks, the function, and the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

MINUTE = cdk.Duration.minutes(1)


class Share(NamedTuple):
    """How many requests were bad, of how many."""

    bad: cloudwatch.MathExpression
    total: cloudwatch.MathExpression


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """What an Application Load Balancer counts of our requests.

    ``load_balancer`` and ``target_groups`` are full names, ``app/x/y`` and ``targetgroup/x/y``. All requests of an own
    balancer are ours, and so are the errors that it answers by itself. Of a ``shared`` one only what is counted by
    target group is ours: there a request that reached no target shows as a failed connection or, for a
    ``function``, as its failed invocation.

    Metrics and their dimensions:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """

    load_balancer: str
    target_groups: Sequence[str]
    shared: bool
    function: bool

    def requests(self) -> cloudwatch.MathExpression:
        return self._sum(requests="RequestCount")

    def client_errors(self) -> cloudwatch.MathExpression:
        return self._sum(refused="HTTPCode_Target_4XX_Count")

    def server_errors(self) -> cloudwatch.MathExpression:
        """The 5xx answers of the targets."""
        return self._sum(failed="HTTPCode_Target_5XX_Count")

    def unanswered(self) -> cloudwatch.MathExpression:
        """The requests to which no target gave an answer."""
        if not self.shared:
            return self._sum(unanswered="HTTPCode_ELB_5XX_Count")
        if self.function:
            return self._sum(uninvoked="LambdaInternalError", broken="LambdaUserError")
        return self._sum(unconnected="TargetConnectionErrorCount")

    def failed(self) -> Share:
        """The requests that were answered with a 5xx, by a target or in its place."""
        bad = cloudwatch.MathExpression(
            expression="servererrors + noanswers",
            using_metrics={"servererrors": self.server_errors(), "noanswers": self.unanswered()},
        )
        # A request for which no target could be chosen is an error of the balancer, but none of its requests.
        total = cloudwatch.MathExpression(
            expression="IF(allrequests > bad, allrequests, bad)",
            using_metrics={"allrequests": self.requests(), "bad": bad},
        )
        return Share(bad, total)

    def slow(self, seconds: float) -> Share:
        """The requests whose answer took a target longer than this.

        ``PR(:x)`` is the percentage of values up to x. Alarms take it as they take a percentile:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (ExtendedStatistic)
        """
        name = "TargetResponseTime"
        answered = self._each("answered", name, cloudwatch.Stats.SAMPLE_COUNT)
        fast = self._each("fast", name, cloudwatch.Stats.percentile_rank(seconds))
        bad = cloudwatch.MathExpression(
            expression=" + ".join(
                f"FILL({count}, 0) * (100 - FILL({rank}, 100)) / 100"
                for count, rank in zip(answered, fast, strict=True)
            ),
            using_metrics={**answered, **fast},
        )
        return Share(bad, _add(answered))

    def latency(self, statistic: str) -> list[cloudwatch.Metric]:
        """Seconds until a target's answer began: one metric, or where the balancer is shared one a target group."""
        return list(self._each("latency", "TargetResponseTime", statistic).values())

    def requests_per_target(self) -> list[cloudwatch.Metric]:
        return [
            _balancer_metric("RequestCountPerTarget", cloudwatch.Stats.SUM, {"TargetGroup": group})
            for group in self.target_groups
        ]

    def hosts(self, metric_name: str, statistic: str) -> cloudwatch.Metric | cloudwatch.MathExpression:
        """``HealthyHostCount`` or ``UnHealthyHostCount``.

        Where a deployment has two target groups each holds a whole set of tasks for a while, so the greater count is
        the one that means something.
        """
        metrics = {
            f"{metric_name.lower()}{index}": _balancer_metric(
                metric_name, statistic, {"LoadBalancer": self.load_balancer, "TargetGroup": group}
            )
            for index, group in enumerate(self.target_groups)
        }
        if len(metrics) == 1:
            return next(iter(metrics.values()))
        return cloudwatch.MathExpression(expression=f"MAX([{', '.join(metrics)}])", using_metrics=metrics)

    def _sum(self, **metric_names: str) -> cloudwatch.MathExpression:
        each = [self._each(key, name, cloudwatch.Stats.SUM) for key, name in metric_names.items()]
        return _add({key: metric for metrics in each for key, metric in metrics.items()})

    def _each(self, key: str, metric_name: str, statistic: str) -> dict[str, cloudwatch.Metric]:
        """The metric in each scope that holds our requests, under an id for metric math."""
        scopes = [{"TargetGroup": group} for group in self.target_groups] if self.shared else [{}]
        return {
            f"{key}{index}": _balancer_metric(metric_name, statistic, {"LoadBalancer": self.load_balancer, **scope})
            for index, scope in enumerate(scopes)
        }


def _balancer_metric(metric_name: str, statistic: str, dimensions: Mapping[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/ApplicationELB", metric_name=metric_name, statistic=statistic, dimensions_map=dimensions
    )


def _add(metrics: Mapping[str, cloudwatch.IMetric]) -> cloudwatch.MathExpression:
    """The sum of counters, which have no value where there was nothing to count."""
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({key}, 0)" for key in metrics), using_metrics=dict(metrics)
    )


def tasks_metric(metric_name: str, statistic: str, *, cluster_name: str, service_name: str) -> cloudwatch.Metric:
    """``CPUUtilization`` or ``MemoryUtilization`` of the tasks, in percent of what they have."""
    return cloudwatch.Metric(
        namespace="AWS/ECS",
        metric_name=metric_name,
        statistic=statistic,
        dimensions_map={"ClusterName": cluster_name, "ServiceName": service_name},
        period=MINUTE,
    )


def function_metric(metric_name: str, statistic: str, *, function_name: str) -> cloudwatch.Metric:
    """Of all versions of the function: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=metric_name,
        statistic=statistic,
        dimensions_map={"FunctionName": function_name},
        period=MINUTE,
    )


class ModelMetrics(Construct):
    """What the service's lines in the log group say of its model, as metrics in a namespace of the environment's own.

    The service's EMF lines become metrics by themselves, but under one namespace for all environments of an account.
    So the figures that wake a person are taken from the lines, which are the environment's. A metric costs something
    only in the hours in which it has a value, and these have none while all is well.
    """

    def __init__(self, scope: Construct, construct_id: str, *, namespace: str, log_group_name: str) -> None:
        super().__init__(scope, construct_id)
        self._namespace = namespace
        self._log_group = logs.LogGroup.from_log_group_name(self, "LogGroup", log_group_name)
        by_reason = {"reason": "$.reason"}
        self._filter("ModelRejections", '{ $.event = "model_rejected" }', "model_rejections", "1", by_reason)
        self._filter("ModelRejected", "{ $.model_rejected > 0 }", "model_rejected", "$.model_rejected")
        self._filter(
            "AliasPollFailures", "{ $.alias_poll_failures > 0 }", "alias_poll_failures", "$.alias_poll_failures"
        )

    def rejections(self, reason: str) -> cloudwatch.Metric:
        """Loads of a model that failed for this ``reason`` of the service's ``model_rejected`` lines."""
        return self._metric("model_rejections", cloudwatch.Stats.SUM, {"reason": reason})

    def rejected(self) -> cloudwatch.Metric:
        """1 while a task serves an older model because it rejected the one that the alias names."""
        return self._metric("model_rejected", cloudwatch.Stats.MAXIMUM)

    def alias_poll_failures(self) -> cloudwatch.Metric:
        """How often a task could not read the alias that it follows."""
        return self._metric("alias_poll_failures", cloudwatch.Stats.SUM)

    def _metric(self, name: str, statistic: str, dimensions: Mapping[str, str] | None = None) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            statistic=statistic,
            dimensions_map=dimensions,
            period=cdk.Duration.minutes(5),
        )

    def _filter(
        self, construct_id: str, pattern: str, name: str, value: str, dimensions: Mapping[str, str] | None = None
    ) -> None:
        logs.MetricFilter(
            self,
            construct_id,
            log_group=self._log_group,
            filter_pattern=logs.FilterPattern.literal(pattern),
            metric_namespace=self._namespace,
            metric_name=name,
            metric_value=value,
            dimensions=dimensions,
        )
