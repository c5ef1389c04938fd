"""What a deployed environment says of its tasks, its service and its load balancer, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class HealthCheck(NamedTuple):
    """A container's own, run within it; seconds as ECS counts them."""

    command: tuple[str, ...]
    interval_seconds: float
    timeout_seconds: float
    retries: int
    start_period_seconds: float


class Statement(NamedTuple):
    """What a role may do: actions such as ``s3:GetObject``, and patterns of resources' ARNs."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


class TaskDefinition(NamedTuple):
    """One revision. ``command`` is the image's own where the definition has none; ``cpu_units`` are 1024 a vCPU."""

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    stop_timeout_seconds: float
    health_check: HealthCheck | None
    cpu_units: int
    memory_mib: int
    role: tuple[Statement, ...]

    @property
    def tag(self) -> str:
        return self.image.rpartition(":")[2]


class TargetGroup(NamedTuple):
    """``health_statuses`` are the status codes that count as healthy."""

    health_path: str
    health_statuses: frozenset[int]
    interval_seconds: float
    timeout_seconds: float
    healthy_count: int
    unhealthy_count: int
    deregistration_delay_seconds: float
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"]


class FixedAnswer(NamedTuple):
    """What the balancer answers itself to a path (``*`` and ``?`` as ALB has them), before any target is asked."""

    path: str
    status: int
    body: str


class LoadBalancer(NamedTuple):
    idle_timeout_seconds: float
    fixed_answers: tuple[FixedAnswer, ...]


class Strategy(NamedTuple):
    """How traffic goes over to a new release. ``step_percent`` moves, then ``step_seconds`` pass; at 100, the bake.

    For ``ROLLING`` the others are zero; for ``BLUE_GREEN`` the step is of 100 percent at once; ``CANARY`` has one step
    of ``step_percent`` and then all the rest; ``LINEAR`` goes on by equal steps.
    """

    kind: Literal["ROLLING", "BLUE_GREEN", "CANARY", "LINEAR"]
    step_percent: float = 0
    step_seconds: float = 0
    bake_seconds: float = 0


class ServiceDefinition(NamedTuple):
    """``minimum_tasks`` is what scaling keeps at least, and so what is desired at first."""

    minimum_tasks: int
    maximum_tasks: int
    minimum_healthy_percent: int
    maximum_percent: int
    circuit_breaker: bool
    rolls_back: bool
    grace_seconds: float
    strategy: Strategy


class Deployed(NamedTuple):
    """One environment as it was deployed; its two target groups, if there are two, are alike."""

    environment: str
    task: TaskDefinition
    service: ServiceDefinition
    target_group: TargetGroup
    load_balancer: LoadBalancer
