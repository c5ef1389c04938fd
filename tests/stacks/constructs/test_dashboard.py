from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.constructs.alarms import REJECTIONS
from stacks.constructs.dashboard import (
    Dashboard,
    Row,
    clients_row,
    deployments_row,
    function_row,
    model_rows,
    tasks_row,
)
from tests.stacks.constructs.resources import balancer, made
from tests.stacks.constructs.test_metrics import model_metrics

LOG_GROUP = "/alphard/dev/service"


def rows(stack: cdk.Stack, *, groups: int) -> list[Row]:
    one = balancer(groups=groups, shared=groups > 1)
    return [
        clients_row(one, latency_milliseconds=250),
        tasks_row(one, cluster_name="cluster", service_name="service", minimum=2, maximum=4),
        function_row("function"),
        *model_rows(model_metrics(stack), log_group_name=LOG_GROUP),
        deployments_row(log_group_name="/alphard/dev/deployments"),
    ]


def _make(stack: cdk.Stack, groups: int) -> Dashboard:
    return Dashboard(
        stack, "Dashboard", name="alphard-dev", text="## Text", alarm_names=["a"], rows=rows(stack, groups=groups)
    )


def widgets(groups: int = 1) -> dict[str, dict[str, Any]]:
    """All widgets by their titles, the text's is empty."""
    (dashboard,) = made(lambda stack: _make(stack, groups), "AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]
    text = "".join(part if isinstance(part, str) else "eu-central-1" for part in body["Fn::Join"][1])
    return {widget["properties"].get("title", ""): widget for widget in json.loads(text)["widgets"]}


@pytest.fixture(scope="module")
def page() -> dict[str, dict[str, Any]]:
    return widgets()


def test_the_first_row_says_what_to_do_and_what_is_wrong(page: dict[str, dict[str, Any]]) -> None:
    first = {title: widget["type"] for title, widget in page.items() if widget["y"] == 0}
    assert first == {"": "text", "Alarms": "alarm"}


def test_the_rows_go_from_what_clients_meet_to_the_causes(page: dict[str, dict[str, Any]]) -> None:
    titles = sorted((widget["y"], widget["x"], title) for title, widget in page.items())
    assert [title for _, _, title in titles][2:] == [
        "Requests a minute",
        "Errors a minute",
        "Latency (seconds)",
        "CPU and memory (percent)",
        "Requests a minute and task",
        "Tasks",
        "Concurrent executions",
        "Failed and throttled invocations a minute",
        "Duration (milliseconds)",
        "Model versions served",
        "Rejected models by reason",
        "Models loaded and rejected",
        "Deployments",
    ]


def test_bounds_and_objective_are_drawn(page: dict[str, dict[str, Any]]) -> None:
    def drawn(title: str) -> dict[str, float]:
        lines = page[title]["properties"]["annotations"]["horizontal"]
        return {line["label"]: line["value"] for line in lines}

    assert drawn("Tasks") == {"minimum": 2, "maximum": 4}
    assert drawn("Latency (seconds)") == {"objective": 0.25}


def test_every_reason_of_a_rejection_has_a_line(page: dict[str, dict[str, Any]]) -> None:
    metrics = page["Rejected models by reason"]["properties"]["metrics"]
    assert [metric[-1]["label"] for metric in metrics] == [*REJECTIONS, "promotion held back"]


def test_two_target_groups_fit_on_one_page() -> None:
    assert len(widgets(groups=2)["Latency (seconds)"]["properties"]["metrics"]) == 6


def test_tables_read_their_own_log_groups(page: dict[str, dict[str, Any]]) -> None:
    sources = {
        title: widget["properties"]["query"].partition(" | ")[0]
        for title, widget in page.items()
        if widget["type"] == "log"
    }
    assert sources == {
        "Model versions served": f"SOURCE '{LOG_GROUP}'",
        "Models loaded and rejected": f"SOURCE '{LOG_GROUP}'",
        "Deployments": "SOURCE '/alphard/dev/deployments'",
    }
