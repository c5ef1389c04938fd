"""The traffic that a cost is reckoned for, and what is assumed of it because no template tells."""

from __future__ import annotations

from typing import NamedTuple

from stacks.prices import FARGATE_SPOT_SHARE

HOURS = 730
"""Of a month, as AWS reckons."""

GB = 2**30

# Of a request, each with its headers: a row of 30 numbers, and its prediction.
REQUEST_BYTES, ANSWER_BYTES = 1_000, 600
REQUESTS_PER_CONNECTION, CONNECTION_SECONDS = 10, 60

# What is written of it: by the service, by the balancer (compressed, as it is stored), and by the VPC for one
# connection, in both directions at the balancer's interface and at the task's.
ACCESS_LINE_BYTES, BALANCER_LINE_BYTES, FLOW_RECORD_BYTES, FLOW_RECORDS = 300, 100, 110, 4

STORED_SHARE = 0.15
"""Of what was ingested: logs are stored compressed."""

METRICS_BYTES = 5_000
"""What one task writes of its metrics in a minute."""

SERVICE_METRICS = 20
"""The series of the service: names by their labels, such as the route and the status."""

CLUSTER_METRICS, TASK_METRICS = 40, 30
"""The series of Container Insights: of a cluster with its service, and of a task with its container."""

POLL_SECONDS, BALANCER_LOG_MINUTES = 30, 5
"""How often a task looks at the model's alias, and a node of the balancer writes a file of its access log."""

MODEL_GB, IMAGE_GB = 1.0, 5.0
FUNCTION_SECONDS = 0.02
E_MAILS = 100

ASSUMPTIONS = (
    f"a month of {HOURS} hours, the same rate all month; no free tiers, discounts or taxes",
    f"{REQUEST_BYTES:,} bytes a request and {ANSWER_BYTES:,} an answer with their headers; "
    f"{REQUESTS_PER_CONNECTION} requests a connection, which lives {CONNECTION_SECONDS} seconds",
    f"{ACCESS_LINE_BYTES} bytes of log a request, kept as long as the retention says at {STORED_SHARE:.0%} of its size",
    f"{BALANCER_LINE_BYTES} bytes of the balancer's access log a request, in S3 Standard until they expire",
    f"{FLOW_RECORDS} flow records of {FLOW_RECORD_BYTES} bytes a connection, of clients and of health checks",
    f"{SERVICE_METRICS} series of the service's own metrics; {METRICS_BYTES:,} bytes of them a task and minute",
    f"{CLUSTER_METRICS} series of Container Insights for the cluster, and where it is enhanced {TASK_METRICS} a task",
    f"{MODEL_GB:g} GB of models, {IMAGE_GB:g} GB of images, {E_MAILS} alarm e-mails to each address",
    f"{FUNCTION_SECONDS * 1000:g} ms of a function a request",
    f"Fargate Spot at {FARGATE_SPOT_SHARE:.0%} of the price on demand",
    "a deployment's second set of tasks, schedules, queries of the logs, and what is adopted are not counted",
)


class Traffic(NamedTuple):
    """A constant rate, all month."""

    requests_per_second: float

    @property
    def requests(self) -> float:
        """Of a month."""
        return self.requests_per_second * HOURS * 3600

    @property
    def connections_per_second(self) -> float:
        return self.requests_per_second / REQUESTS_PER_CONNECTION

    def gb(self, bytes_per_request: float) -> float:
        """Of a month."""
        return self.requests * bytes_per_request / GB
