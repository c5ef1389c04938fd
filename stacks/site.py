"""What stands in an environment, by its templates, and what some traffic makes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stacks import traffic
from stacks.assembly import Resource
from stacks.traffic import GB, HOURS, Traffic

SERVICE = "AWS::ECS::Service"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"


class Site:
    """The resources of an environment under some traffic: what more than one price rests on."""

    def __init__(self, resources: Sequence[Resource], under: Traffic) -> None:
        self.resources = resources
        self.traffic = under
        self.tasks = self._tasks()

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for resource in self.resources if resource.type in types]

    @property
    def zones(self) -> int:
        """In how many zones an own load balancer stands."""
        return max((len(balancer.properties["Subnets"]) for balancer in self.of(BALANCER)), default=0)

    @property
    def serving_function(self) -> Resource | None:
        """The function that answers requests, where one does."""
        functions = self.of("AWS::Lambda::Function")
        return next((function for function in functions if "ALPHARD_MODEL_URI" in str(function.properties)), None)

    @property
    def log_gb(self) -> float:
        """What the service writes in a month."""
        metrics = self.tasks * HOURS * 60 * traffic.METRICS_BYTES / GB
        return self.traffic.gb(traffic.ACCESS_LINE_BYTES) + metrics

    @property
    def flow_gb(self) -> float:
        """What the VPC writes in a month of clients' connections and of health checks."""
        intervals = [
            float(group.properties["HealthCheckIntervalSeconds"])
            for group in self.of("AWS::ElasticLoadBalancingV2::TargetGroup")
            if "HealthCheckIntervalSeconds" in group.properties
        ]
        checks = self.zones * self.tasks / intervals[0] if intervals else 0.0
        connections = (self.traffic.connections_per_second + checks) * HOURS * 3600
        return connections * traffic.FLOW_RECORDS * traffic.FLOW_RECORD_BYTES / GB

    @property
    def requests_per_task(self) -> float | None:
        """How many requests a second a task bears before the scaling adds one; the least of several targets."""
        targets = [
            float(policy.properties["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
            for policy in self.of("AWS::ApplicationAutoScaling::ScalingPolicy")
            if "RequestCount" in str(policy.properties)
        ]
        return min(targets) / 60 if targets else None

    def _tasks(self) -> int:
        """How many tasks the scaling keeps: its minimum, or more where the traffic asks for it."""
        if not self.of(SERVICE):
            return 0
        least, most = self._bounds()
        each = self.requests_per_task
        return min(max(least, math.ceil(self.traffic.requests_per_second / each) if each else 0), most)

    def _bounds(self) -> tuple[int, int]:
        for target in self.of("AWS::ApplicationAutoScaling::ScalableTarget"):
            if target.properties["ServiceNamespace"] == "ecs":
                return int(target.properties["MinCapacity"]), int(target.properties["MaxCapacity"])
        (service,) = self.of(SERVICE)
        return (int(service.properties.get("DesiredCount", 1)),) * 2
