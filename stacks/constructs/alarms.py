"""The alarms that wake a person, each with what it means and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs import queries
from stacks.constructs.burn_rate import BurnRate
from stacks.constructs.metrics import MINUTE, Balancer, ModelMetrics, Share, function_metric
from stacks.constructs.runbook import Runbook


class Pager(NamedTuple):
    """What every alarm needs: ``name`` makes its name of what it is about, such as ``alphard-dev-<what>``."""

    name: Callable[[str], str]
    topic: sns.ITopic
    runbook: Runbook


class Alarms(Construct):
    """Some alarms that act on the pager's topic, by their names in ``paging``."""

    def __init__(self, scope: Construct, construct_id: str, *, pager: Pager) -> None:
        super().__init__(scope, construct_id)
        self._pager = pager
        self._runbook = pager.runbook
        self.paging: list[str] = []

    def _page(self, name: str, alarm: cloudwatch.AlarmBase) -> None:
        alarm.add_alarm_action(actions.SnsAction(self._pager.topic))
        self.paging.append(name)

    def _at_least(
        self, construct_id: str, what: str, metric: cloudwatch.IMetric, threshold: float, *, periods: int, page: str
    ) -> None:
        """For as many periods in a row; a period without a value is a good one."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=self._pager.name(what),
            alarm_description=page,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self._page(self._pager.name(what), alarm)

    def _below(
        self, construct_id: str, what: str, metric: cloudwatch.IMetric, threshold: float, *, periods: int, page: str
    ) -> None:
        """For as many periods in a row; a period without a value is a bad one."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=self._pager.name(what),
            alarm_description=page,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        self._page(self._pager.name(what), alarm)


class ObjectiveAlarms(Alarms):
    """Clients get errors, or wait, more often than the objectives allow."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pager: Pager,
        balancer: Balancer,
        availability_percent: float,
        latency_percent: float,
        latency_milliseconds: int,
    ) -> None:
        super().__init__(scope, construct_id, pager=pager)
        self._burn_rate(
            "Availability",
            availability_percent,
            balancer.failed(),
            "requests fail with a 5xx",
            "errors by class: of the targets (the service) or in their place (no task, time-outs); deployments.",
            queries.ERRORS,
        )
        self._burn_rate(
            "Latency",
            latency_percent,
            balancer.slow(latency_milliseconds / 1000),
            f"requests take over {latency_milliseconds} ms",
            "CPU, requests per target, task count at its maximum; rows per request; a new model version.",
            queries.SLOWEST_REQUESTS,
        )

    def _burn_rate(
        self, objective: str, percent: float, share: Share, bad: str, look: str, query: queries.Query
    ) -> None:
        def describe(days: int) -> str:
            return self._runbook.page(
                means=f"{bad}, so many that the month's budget of {100 - percent:.6g}% would be gone in {days} days.",
                look=look,
                query=query,
                back=self._runbook.either,
            )

        name = self._pager.name(objective.lower())
        burn_rate = BurnRate(self, objective, name=name, percent=percent, share=share, describe=describe)
        for alarm_name, alarm in burn_rate.alarms.items():
            self._page(alarm_name, alarm)


class HostAlarms(Alarms):
    """The tasks behind the balancer, whose number scaling moves between ``minimum`` and ``maximum``."""

    def __init__(
        self, scope: Construct, construct_id: str, *, pager: Pager, balancer: Balancer, minimum: int, maximum: int
    ) -> None:
        super().__init__(scope, construct_id, pager=pager)
        write = self._runbook.page
        # The most that any node of the balancer sees: a new node begins with none.
        healthy = balancer.hosts("HealthyHostCount", cloudwatch.Stats.MAXIMUM).with_(period=MINUTE)
        unhealthy = balancer.hosts("UnHealthyHostCount", cloudwatch.Stats.MINIMUM).with_(period=MINUTE)
        page = write(
            means="no task can serve; every request fails.",
            look="the last deployment; in ECS, why tasks stopped; if they run, why they are not ready.",
            query=queries.MODEL_EVENTS,
            back=self._runbook.either,
        )
        self._below("NoHealthyHosts", "no-healthy-hosts", healthy, 1, periods=2, page=page)
        page = write(
            means="a task has failed its health check for 5 minutes and was not replaced.",
            look="whether it hangs or has no model. Stop it in ECS: another takes its place.",
            query=queries.MODEL_EVENTS,
            back=self._runbook.either,
        )
        self._at_least("UnhealthyHosts", "unhealthy-hosts", unhealthy, 1, periods=5, page=page)
        if minimum > 1:  # below one there are none, which has its alarm
            page = write(
                means=f"for 10 minutes fewer than {minimum} tasks, the least that there should be, can serve.",
                look="the service's events in ECS: no capacity (Spot), no image, tasks that stop or are never ready.",
                query=queries.STARTS_AND_DRAINS,
                back=self._runbook.either,
            )
            self._below("TooFewHosts", "too-few-healthy-hosts", healthy, minimum, periods=10, page=page)
        if maximum > minimum:  # else they are always as many
            page = write(
                means=f"for 15 minutes all {maximum} tasks that scaling may start are in use; more traffic will wait.",
                look="CPU and requests per target; whether it is one client's traffic.",
                query=queries.CLIENTS,
                back="raise scaling.maximum_tasks in cdk.json and deploy.",
            )
            self._at_least("CapacityAtMaximum", "capacity-at-maximum", healthy, maximum, periods=15, page=page)


class FunctionAlarms(Alarms):
    """The function behind the balancer, whose requests have ``deadline_seconds``."""

    def __init__(
        self, scope: Construct, construct_id: str, *, pager: Pager, function_name: str, deadline_seconds: float
    ) -> None:
        super().__init__(scope, construct_id, pager=pager)
        write, either = self._runbook.page, self._runbook.either
        errors = function_metric("Errors", cloudwatch.Stats.SUM, function_name=function_name)
        page = write(
            means="for 5 minutes invocations end outside the service: crashes, time-outs, no memory.",
            look="the log group's lines of level ERROR, and what Lambda itself says of the failed invocations.",
            query=queries.ONE_REQUEST,
            back=either,
        )
        self._at_least("Errors", "function-errors", errors, 1, periods=5, page=page)
        throttles = function_metric("Throttles", cloudwatch.Stats.SUM, function_name=function_name)
        page = write(
            means="for 5 minutes requests are turned away: no concurrency is left.",
            look="concurrent executions, against the function's reserve and the account's; whether it is one client.",
            query=queries.CLIENTS,
            back="raise function.reserved_concurrency in cdk.json and deploy, or ask AWS for more.",
        )
        self._at_least("Throttles", "function-throttles", throttles, 1, periods=5, page=page)
        limit_ms = round(800 * deadline_seconds)
        duration = function_metric("Duration", cloudwatch.Stats.percentile(99), function_name=function_name)
        page = write(
            means=f"for 5 minutes one invocation in a hundred takes {limit_ms} ms, near the deadline.",
            look="cold starts; rows per request; a new model version.",
            query=queries.SLOWEST_REQUESTS,
            back=either,
        )
        self._at_least("Duration", "function-duration", duration, limit_ms, periods=5, page=page)


REJECTIONS = {
    "golden": ("its engine does not give the golden answers.", "which libraries the image and the publisher have."),
    "bundle": ("its files are not what the manifest says.", "who else writes under the model's prefix."),
    "engine": ("its engine cannot be built or run.", "the line's detail; whether the image is older than the model."),
    "store": ("it cannot be fetched.", "whether alias and version exist; the task role; the way to S3."),
    "error": ("of an error that nobody foresaw.", "the line's traceback."),
}
"""What each ``reason`` of the service's ``model_rejected`` lines means, and where to look first."""


class ModelAlarms(Alarms):
    """Models that the service rejected, by reason; and where it follows an alias, whether it can."""

    def __init__(
        self, scope: Construct, construct_id: str, *, pager: Pager, metrics: ModelMetrics, follows_alias: bool
    ) -> None:
        super().__init__(scope, construct_id, pager=pager)
        for reason, (means, look) in REJECTIONS.items():
            page = self._describe(f"a model was rejected: {means} Tasks that had one before serve on.", look)
            rejections = metrics.rejections(reason)
            self._at_least(reason.capitalize(), f"model-rejected-{reason}", rejections, 1, periods=1, page=page)
        if follows_alias:
            page = self._describe(
                "the alias names a model that tasks rejected; they serve the one before.",
                "the alarm of the reason. Nothing is down.",
            )
            rejected = metrics.rejected()
            self._at_least("HeldBack", "promotion-held-back", rejected, 1, periods=1, page=page)
            page = self._describe(
                "for 15 minutes tasks cannot read the alias; they serve on, but a promotion would not reach them.",
                "the task role; the alias's file; the way to S3.",
            )
            failures = metrics.alias_poll_failures()
            self._at_least("AliasNotRead", "alias-not-read", failures, 1, periods=3, page=page)

    def _describe(self, means: str, look: str) -> str:
        return self._runbook.page(means=means, look=look, query=queries.MODEL_EVENTS, back=self._runbook.model_rollback)
