"""How many tasks there are: by requests, by CPU, and by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from constructs import Construct

_Target = autoscaling.CfnScalableTarget
_Policy = autoscaling.CfnScalingPolicy

# Tasks are added as soon as a minute asks for them, and taken away when the traffic has been lower for a while.
_OUT_SECONDS = 60
_IN_SECONDS = 300


class Hours(NamedTuple):
    """From the moment of ``cron``, in five fields, these bounds hold, until those of another begin."""

    name: str
    cron: str
    time_zone: str
    minimum_tasks: int
    maximum_tasks: int


class TaskScaling(Construct):
    """Between the bounds, as many tasks as keep two figures at their targets: CPU, and requests a minute and task.

    ``requests_per_target`` is CloudWatch's figure of each target group. Where a release shifts traffic between two,
    each has a whole set of tasks for a while, and the sum is what a task bears once all has been shifted. The
    ready-made metric knows one group alone, which is the empty one after every other deployment.
    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster_name: str,
        service: ecs.FargateService,
        service_name: str,
        minimum_tasks: int,
        maximum_tasks: int,
        cpu_percent: int,
        requests_per_minute: int,
        requests_per_target: Sequence[cloudwatch.Metric],
        hours: Sequence[Hours],
    ) -> None:
        super().__init__(scope, construct_id)
        self._target = _Target(
            self,
            "Tasks",
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=f"service/{cluster_name}/{service_name}",
            min_capacity=minimum_tasks,
            max_capacity=maximum_tasks,
            scheduled_actions=[_scheduled(each) for each in hours] or None,
        )
        self._target.node.add_dependency(service)
        cpu = _Policy.PredefinedMetricSpecificationProperty(predefined_metric_type="ECSServiceAverageCPUUtilization")
        self._track("Cpu", cpu_percent, predefined_metric_specification=cpu)
        requests = _Policy.CustomizedMetricSpecificationProperty(metrics=_sum(requests_per_target))
        self._track("Requests", requests_per_minute, customized_metric_specification=requests)

    def _track(
        self,
        figure: str,
        target: float,
        *,
        predefined_metric_specification: _Policy.PredefinedMetricSpecificationProperty | None = None,
        customized_metric_specification: _Policy.CustomizedMetricSpecificationProperty | None = None,
    ) -> None:
        _Policy(
            self,
            figure,
            policy_name=figure.lower(),
            policy_type="TargetTrackingScaling",
            scaling_target_id=self._target.ref,
            target_tracking_scaling_policy_configuration=_Policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=target,
                scale_out_cooldown=_OUT_SECONDS,
                scale_in_cooldown=_IN_SECONDS,
                predefined_metric_specification=predefined_metric_specification,
                customized_metric_specification=customized_metric_specification,
            ),
        )


def _scheduled(hours: Hours) -> _Target.ScheduledActionProperty:
    """With the sixth field that AWS has, a year; and of the days of month and week the one that is free as ``?``.
    https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    """
    minute, hour, day, month, weekday = hours.cron.split()
    if weekday == "*":
        weekday = "?"
    else:
        day = "?"
    return _Target.ScheduledActionProperty(
        scheduled_action_name=hours.name,
        schedule=f"cron({minute} {hour} {day} {month} {weekday} *)",
        timezone=hours.time_zone,
        scalable_target_action=_Target.ScalableTargetActionProperty(
            min_capacity=hours.minimum_tasks, max_capacity=hours.maximum_tasks
        ),
    )


def _sum(metrics: Sequence[cloudwatch.Metric]) -> list[_Policy.TargetTrackingMetricDataQueryProperty]:
    """A figure that is missing counts as none, so that tasks are taken away when no request comes at all."""
    parts = {f"requests{index}": metric for index, metric in enumerate(metrics)}
    total = _Policy.TargetTrackingMetricDataQueryProperty(
        id="requests", expression=" + ".join(f"FILL({part}, 0)" for part in parts), return_data=True
    )
    return [total, *(_query(part, metric) for part, metric in parts.items())]


def _query(query_id: str, metric: cloudwatch.Metric) -> _Policy.TargetTrackingMetricDataQueryProperty:
    dimensions = [
        _Policy.TargetTrackingMetricDimensionProperty(name=name, value=value)
        for name, value in (metric.dimensions or {}).items()
    ]
    return _Policy.TargetTrackingMetricDataQueryProperty(
        id=query_id,
        metric_stat=_Policy.TargetTrackingMetricStatProperty(
            metric=_Policy.TargetTrackingMetricProperty(
                namespace=metric.namespace, metric_name=metric.metric_name, dimensions=dimensions
            ),
            stat=metric.statistic,
        ),
        return_data=False,
    )
