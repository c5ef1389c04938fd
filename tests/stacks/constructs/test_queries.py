"""Every name in a saved query is one that the service writes: renaming a log key here breaks a test, not a night."""

from __future__ import annotations

import ast
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from stacks.constructs.queries import (
    COLD_STARTS,
    DEPLOYMENTS,
    OF_EVERY_COMPUTE,
    OF_TASKS,
    OF_THE_FUNCTION,
    ONE_REQUEST,
    STARTS_AND_DRAINS,
    Query,
    SavedQueries,
)
from tests.stacks.ecs_events import DEPLOYMENT_FAILED, SPOT_INTERRUPTION
from tests.stacks.environments import ROOT
from tests.stacks.service_lines import Line

_WORDS = frozenset(["fields", "filter", "stats", "sort", "limit", "by", "as", "and", "or", "not", "in", "asc", "desc"])
_STRING = re.compile(r'"[^"]*"')
_NAME = re.compile(r"(?<![\w.@])([A-Za-z_][\w.]*)\b(?!\s*\()")


def named(query: Query) -> set[str]:
    """The fields of lines that the query names; those with an @ are the tool's own."""
    text = _STRING.sub("", " | ".join(query.lines))
    aliases = set(re.findall(r"\bas (\w+)", text))
    return set(_NAME.findall(text)) - aliases - _WORDS


def events(query: Query) -> set[str]:
    """The events whose lines the query takes, or none if it takes all."""
    (found,) = re.findall(r"event (?:=|in) (\"\w+\"|\[.*?\])", "\n".join(query.lines)) or [""]
    return set(re.findall(r'"(\w+)"', found))


def selected(query: Query, lines: list[Line]) -> list[Line]:
    if query is ONE_REQUEST:
        return [line for line in lines if "request_id" in line]
    return [line for line in lines if line.get("event") in events(query)]


@pytest.mark.parametrize("query", [*OF_EVERY_COMPUTE, STARTS_AND_DRAINS, COLD_STARTS], ids=lambda query: query.name)
def test_a_query_names_what_its_lines_hold(query: Query, service_lines: list[Line]) -> None:
    lines = selected(query, service_lines)
    assert lines
    assert named(query) <= {key for line in lines for key in line}


@pytest.mark.parametrize("query", [*OF_EVERY_COMPUTE, STARTS_AND_DRAINS, COLD_STARTS], ids=lambda query: query.name)
def test_a_query_takes_events_that_the_service_writes(query: Query) -> None:
    strings = {
        node.value
        for path in (ROOT / "service").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    assert events(query) <= strings


def test_the_names_in_a_query_are_found() -> None:
    query = Query(
        "any", ('filter event = "asked" and status >= 400', "stats pct(duration_ms, 99) as p99, count(*) by path")
    )
    assert named(query) == {"event", "status", "duration_ms", "path"}
    assert events(query) == {"asked"}


def test_deployments_are_read_by_the_keys_of_ecs_own_events() -> None:
    for key in named(DEPLOYMENTS):
        assert any(_has(event, key) for event in (DEPLOYMENT_FAILED, SPOT_INTERRUPTION)), key


def _has(event: Any, path: str) -> bool:
    for key in path.split("."):
        if key not in event:
            return False
        event = event[key]
    return True


@pytest.mark.parametrize("queries", [OF_TASKS, OF_THE_FUNCTION])
def test_queries_are_saved_in_one_folder_over_the_log_group(queries: tuple[Query, ...]) -> None:
    stack = cdk.Stack(cdk.App(analytics_reporting=False))
    SavedQueries(stack, "Queries", folder="alphard/dev", queries=queries, log_group_name="/alphard/dev/service")
    saved = Template.from_stack(stack).find_resources("AWS::Logs::QueryDefinition").values()
    assert {each["Properties"]["Name"] for each in saved} == {f"alphard/dev/{query.name}" for query in queries}
    assert all(each["Properties"]["LogGroupNames"] == ["/alphard/dev/service"] for each in saved)
    assert {each["Properties"]["QueryString"] for each in saved} == {"\n| ".join(query.lines) for query in queries}
