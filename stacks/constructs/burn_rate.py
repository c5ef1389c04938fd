"""Alarms on how fast an objective's error budget burns, each over a long and a short window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.constructs.metrics import Share

MINIMUM_BAD_REQUESTS = 10
"""Fewer in the long window wake nobody, whatever share of the traffic they are: one failed request at night may be all
of it."""


class Pace(NamedTuple):
    """How much faster than allowed the budget burns, and the windows that both must show it."""

    name: str
    factor: float
    long: cdk.Duration
    short: cdk.Duration


# Of the "multiwindow, multi-burn-rate alerts" in https://sre.google/workbook/alerting-on-slos/ those that page: 2% of
# a month's budget in an hour, 5% in six. The short window ends the alarm soon after the fault ends.
PACES = (
    Pace("fast", 14.4, cdk.Duration.hours(1), cdk.Duration.minutes(5)),
    Pace("slow", 6, cdk.Duration.hours(6), cdk.Duration.minutes(30)),
)


class BurnRate(Construct):
    """For each pace an alarm on each window, and one on both of them, by its name in ``alarms``, which alone acts.

    ``percent`` of the requests of a month are to be good. ``describe`` makes a description of the days after which
    the month's budget is gone. Windows slide, as CloudWatch's do unless told otherwise. No requests is no breach.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        percent: float,
        share: Share,
        describe: Callable[[int], str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._percent = percent
        self._share = share
        self.alarms: Mapping[str, cloudwatch.CompositeAlarm] = {
            f"{name}-{pace.name}-burn": self._pace(pace, describe) for pace in PACES
        }

    def _pace(self, pace: Pace, describe: Callable[[int], str]) -> cloudwatch.CompositeAlarm:
        title = pace.name.capitalize()
        windows = (
            self._window(f"{title}Long", pace, pace.long, MINIMUM_BAD_REQUESTS),
            self._window(f"{title}Short", pace, pace.short, 1),
        )
        alarm = cloudwatch.CompositeAlarm(
            self,
            title,
            composite_alarm_name=f"{self._name}-{pace.name}-burn",
            alarm_description=describe(round(30 / pace.factor)),
            # By their names, which are known before either alarm is made.
            alarm_rule=cloudwatch.AlarmRule.from_string(
                " AND ".join(f'ALARM("{self._window_name(window)}")' for window in (pace.long, pace.short))
            ),
        )
        alarm.node.add_dependency(*windows)
        return alarm

    def _window_name(self, window: cdk.Duration) -> str:
        return f"{self._name}-burn-{_length(window)}"

    def _window(self, construct_id: str, pace: Pace, window: cdk.Duration, at_least: int) -> cloudwatch.Alarm:
        budget = f"{100 - self._percent:.6g}"
        length = _length(window)
        burn = cloudwatch.MathExpression(
            expression=f"IF(bad >= {at_least}, 100 * bad / total / {budget}, 0)",
            using_metrics={"bad": self._share.bad, "total": self._share.total},
            label=f"burn rate over {length}",
            period=window,
        )
        return cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=self._window_name(window),
            alarm_description=f"One of the two windows of {self._name}-{pace.name}-burn, which is the alarm to act on.",
            metric=burn,
            threshold=pace.factor,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _length(window: cdk.Duration) -> str:
    minutes = int(window.to_minutes())
    return f"{minutes // 60}h" if minutes >= 60 else f"{minutes}m"
