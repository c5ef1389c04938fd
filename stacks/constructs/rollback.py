"""The alarms that undo a release while it takes over."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.metrics import MINUTE, Balancer, Share

_BURN_RATE = 10
"""How many times as bad as the objective allows a minute's requests must be."""

_LEAST_REQUESTS = 3
"""How many of them must be bad, so that where few come it is not one that decides."""


class RollbackAlarms(Construct):
    """Alarms that do nothing by themselves: whoever deploys knows them by their ``names`` and watches them. In a minute
    without a figure all is well.

    Failed is a request that the service answered with a 5xx without meaning to, or that its process died over. A 4xx is
    the client's, and a 503 is meant: a task says it that is not ready, or late. CloudWatch's count of the targets' 5xx
    holds the meant ones too, so failures are counted in the service's lines; a dead process writes none, and is found
    in the balancer's own count. To a function requests come before it is ready, with no health check to hold them back,
    so there a 503 is a failure, too: a release whose model does not load says nothing else.

    Slow is what takes longer than the objective: of each target group apart, so that a few requests to new tasks show
    beside many to the old ones. A task may be unready for twice as long as it may load.

    An alarm that rings already when a deployment begins is not heard during it, so that a fault can be mended by one:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: Callable[[str], str],
        balancer: Balancer,
        log_group_name: str,
        metric_namespace: str,
        availability_percent: float,
        latency_percent: float,
        latency_milliseconds: int,
        load_deadline_seconds: float,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self.names: list[str] = []
        failed = self._failed(balancer, log_group_name, metric_namespace)
        self._share("Errors", "requests fail", failed, 100 - availability_percent)
        for number, each in enumerate(_groups(balancer), start=1):
            slow = each.slow(latency_milliseconds / 1000)
            construct_id = "Latency" if number == 1 else f"Latency{number}"
            self._share(construct_id, f"requests take over {latency_milliseconds} ms", slow, 100 - latency_percent)
        if not balancer.function:
            self._unready(balancer, 2 * math.ceil(load_deadline_seconds / 60) + 1)

    def _failed(self, balancer: Balancer, log_group_name: str, namespace: str) -> Share:
        failure = "> 499" if balancer.function else "= 500"  # 503 is the only other 5xx that the service answers
        lines = logs.MetricFilter(
            self,
            "Failures",
            log_group=logs.LogGroup.from_log_group_name(self, "LogGroup", log_group_name),
            filter_pattern=logs.FilterPattern.literal(f'{{ $.event = "request" && $.status {failure} }}'),
            metric_namespace=namespace,
            metric_name="failed_requests",
            metric_value="1",
        ).metric(statistic=cloudwatch.Stats.SUM)
        parts = {"lines": lines, **_died(balancer)}
        bad = cloudwatch.MathExpression(
            expression=" + ".join(f"FILL({part}, 0)" for part in parts), using_metrics=parts
        )
        return Share(bad, balancer.requests())

    def _share(self, construct_id: str, bad: str, share: Share, allowed_percent: float) -> None:
        """In two of three minutes. A line may be counted a minute after its request: no share is more than all."""
        percent = cloudwatch.MathExpression(
            expression=f"IF(bad >= {_LEAST_REQUESTS}, 100 * bad / IF(total > bad, total, bad), 0)",
            using_metrics={"bad": share.bad, "total": share.total},
            label=f"percent of {bad}",
            period=MINUTE,
        )
        self._alarm(
            construct_id,
            f"{bad}, {_BURN_RATE} times as many as the objective allows.",
            percent,
            threshold=round(_BURN_RATE * allowed_percent, 6),
            periods=3,
            of_which=2,
        )

    def _unready(self, balancer: Balancer, minutes: int) -> None:
        unready = balancer.hosts("UnHealthyHostCount", cloudwatch.Stats.MINIMUM).with_(period=MINUTE)
        means = f"for {minutes} minutes a task is not ready."
        self._alarm("Unready", means, unready, threshold=1, periods=minutes, of_which=minutes)

    def _alarm(
        self,
        construct_id: str,
        means: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: float,
        periods: int,
        of_which: int,
    ) -> None:
        name = self._name(f"rollback-{construct_id.lower()}")
        self.names.append(name)
        cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=name,
            alarm_description=f"Undoes a release that is taking over: {means}",
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=periods,
            datapoints_to_alarm=of_which,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _groups(balancer: Balancer) -> Sequence[Balancer]:
    """The balancer as each of its target groups sees it."""
    return [replace(balancer, target_groups=[group], shared=True) for group in balancer.target_groups]


def _died(balancer: Balancer) -> dict[str, cloudwatch.IMetric]:
    """Requests to which no target answered. A balancer of our own counts them by what it answered instead, 502 or 504,
    but not by target group; a shared one's count is everybody's, and what is ours of it are refused connections, or
    invocations that failed.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    of_all = [("HTTPCode_ELB_502_Count", ""), ("HTTPCode_ELB_504_Count", "")]
    names = ("LambdaInternalError", "LambdaUserError") if balancer.function else ("TargetConnectionErrorCount",)
    of_group = [(name, group) for group in balancer.target_groups for name in names]
    return {
        f"died{index}": cloudwatch.Metric(
            namespace="AWS/ApplicationELB",
            metric_name=metric_name,
            statistic=cloudwatch.Stats.SUM,
            dimensions_map={"LoadBalancer": balancer.load_balancer, **({"TargetGroup": group} if group else {})},
        )
        for index, (metric_name, group) in enumerate(of_group if balancer.shared else of_all)
    }
