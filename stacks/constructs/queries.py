"""Saved queries of CloudWatch Logs Insights over the lines that the service writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aws_cdk import aws_logs as logs
from constructs import Construct


class Query(NamedTuple):
    """A query under a name of lower case words; ``lines`` are its commands, one a line."""

    name: str
    lines: tuple[str, ...]


SLOWEST_REQUESTS = Query(
    "slowest-requests",
    (
        "fields @timestamp, request_id, path, status, duration_ms, rows, bytes_in, bytes_out, model_version",
        'filter event = "request"',
        "sort duration_ms desc",
        "limit 50",
    ),
)

ERRORS = Query(
    "errors-by-path-and-status",
    (
        'filter event = "request" and status >= 400',
        "stats count(*) as requests, count_distinct(client) as clients, latest(request_id) as example by path, status",
        "sort requests desc",
    ),
)

ONE_REQUEST = Query(
    "one-request",
    (
        "fields @timestamp, level, event, message, path, status, duration_ms, exception_name, exception, @logStream",
        'filter request_id = "put the X-Request-Id here"',
        "sort @timestamp asc",
    ),
)

MODEL_VERSIONS = Query(
    "requests-by-model-version",
    (
        'filter event = "request" and path = "/predict" and ispresent(model_version)',
        "stats count(*) as requests, sum(rows) as predicted, pct(duration_ms, 50) as p50_ms,"
        " pct(duration_ms, 99) as p99_ms, count_distinct(@logStream) as tasks by model_version",
        "sort requests desc",
    ),
)

MODEL_EVENTS = Query(
    "model-loads-and-rejections",
    (
        "fields @timestamp, event, model_name, model_version, replaced_version, model_engine, load_seconds, reason,"
        " detail, @logStream",
        'filter event in ["model_loaded", "model_rejected", "alias_not_read", "store_unavailable"]',
        "sort @timestamp desc",
        "limit 100",
    ),
)

CLIENTS = Query(
    "clients",
    (
        'filter event = "request"',
        "stats count(*) as requests, sum(rows) as predicted, sum(bytes_in) as received,"
        " max(duration_ms) as slowest_ms by client",
        "sort requests desc",
        "limit 50",
    ),
)

STARTS_AND_DRAINS = Query(
    "starts-and-drains",
    (
        "fields @timestamp, event, message, model_version, load_seconds, @logStream",
        'filter event in ["model_loaded", "draining", "worker_left_behind", "loader_stopped"]',
        "sort @timestamp desc",
        "limit 100",
    ),
)

COLD_STARTS = Query(
    "cold-starts",
    (
        'filter event = "model_loaded" and not ispresent(replaced_version)',
        "stats count(*) as cold_starts, pct(load_seconds, 50) as p50_seconds, max(load_seconds) as slowest_seconds"
        " by bin(1h)",
    ),
)
"""Each execution environment of a function loads its first model once."""

DEPLOYMENTS = Query(
    "deployments",
    (
        "fields @timestamp, detail.eventName, detail.reason, detail.deploymentId, detail.stopCode,"
        " detail.stoppedReason",
        "sort @timestamp desc",
        "limit 50",
    ),
)
"""Over what ECS says of the service, which has a log group of its own."""

OF_EVERY_COMPUTE = (SLOWEST_REQUESTS, ERRORS, ONE_REQUEST, MODEL_VERSIONS, MODEL_EVENTS, CLIENTS)
OF_TASKS = (*OF_EVERY_COMPUTE, STARTS_AND_DRAINS)
OF_THE_FUNCTION = (*OF_EVERY_COMPUTE, COLD_STARTS)


class SavedQueries(Construct):
    """Each query under ``<folder>/<its name>`` in the console, over the one log group."""

    def __init__(
        self, scope: Construct, construct_id: str, *, folder: str, queries: Sequence[Query], log_group_name: str
    ) -> None:
        super().__init__(scope, construct_id)
        for query in queries:
            logs.CfnQueryDefinition(
                self,
                "".join(word.capitalize() for word in query.name.split("-")),
                name=f"{folder}/{query.name}",
                query_string="\n| ".join(query.lines),
                log_group_names=[log_group_name],
            )
