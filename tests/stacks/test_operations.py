"""What wakes a person in each environment, and what that person finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.stacks.alarm_evaluation import breaches
from tests.stacks.environments import ENVIRONMENTS
from tests.stacks.synthesis import Resource, Synthesis, synthesize
from tests.stacks.template_yaml import to_text

ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


def operations(synthesis: Synthesis, *types: str) -> list[Resource]:
    return [resource for resource in synthesis.resources(*types) if resource.stack == "Operations"]


def text(value: Any) -> str:
    """A template's value, with the names of what is not known yet in it."""
    found = to_text(value)
    assert found is not None
    return found


def alarms(synthesis: Synthesis) -> dict[str, Mapping[str, Any]]:
    """Their properties by what follows the environment in their names."""
    prefix = synthesis.environment.named("")
    found = {alarm.properties["AlarmName"]: alarm.properties for alarm in operations(synthesis, *ALARMS)}
    assert all(name.startswith(prefix) for name in found)
    return {name.removeprefix(prefix): properties for name, properties in found.items()}


def metrics(alarm: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The names and dimensions of what the alarm reads."""
    for metric in (
        [alarm]
        if "MetricName" in alarm
        else [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    ):
        yield metric["MetricName"], {each["Name"]: text(each["Value"]) for each in metric.get("Dimensions", ())}


def test_every_alarm_reaches_the_one_topic_but_the_windows_of_another(synthesis: Synthesis) -> None:
    topics = {text(action) for alarm in alarms(synthesis).values() for action in alarm.get("AlarmActions", ())}
    assert len(topics) == 1
    quiet = {name for name, alarm in alarms(synthesis).items() if "AlarmActions" not in alarm}
    assert quiet == {
        f"{objective}-burn-{window}"
        for objective in ("availability", "latency")
        for window in ("1h", "5m", "6h", "30m")
    }


def test_an_adopted_topic_is_the_one_that_all_reach() -> None:
    arn = "arn:aws:sns:eu-central-1:123456789012:on-call"
    adopting = {**ENVIRONMENTS["dev"], "operations": {"topic": {"adopt": {"arn": arn}}}}
    synthesis = synthesize("dev", {"dev": adopting})
    assert operations(synthesis, "AWS::SNS::Topic") == []
    acting = [alarm["AlarmActions"] for alarm in alarms(synthesis).values() if "AlarmActions" in alarm]
    told = [
        target["Arn"]
        for rule in operations(synthesis, "AWS::Events::Rule")
        for target in rule.properties["Targets"]
        if "InputTransformer" in target
    ]
    assert {action for actions in acting for action in actions} == set(told) == {arn}


def test_what_an_alarm_says_fits_into_its_description(synthesis: Synthesis) -> None:
    """1024 characters, with an account and a region in the place of their names."""
    for name, alarm in alarms(synthesis).items():
        assert len(text(alarm["AlarmDescription"])) <= 1024, name


def test_a_burn_rate_that_is_awaited_can_be_reached(synthesis: Synthesis) -> None:
    """If every request is bad: an objective far under 100% would make an alarm that never comes."""

    def all_bad(name: str, statistic: str, dimensions: Mapping[str, Any]) -> float | None:
        if name == "TargetResponseTime":
            return 0 if statistic.startswith("PR") else 1_000_000
        return 1_000_000 if name in {"RequestCount", "HTTPCode_Target_5XX_Count"} else None

    for name, alarm in alarms(synthesis).items():
        assert "-burn-" not in name or breaches(alarm, all_bad), name


def test_what_is_read_from_parameters_is_what_serving_writes(synthesis: Synthesis) -> None:
    written = {
        parameter.properties["Name"]
        for parameter in synthesis.resources("AWS::SSM::Parameter")
        if parameter.stack == "Serving"
    }
    read = {
        parameter["Default"]
        for parameter in synthesis.templates["Operations"].get("Parameters", {}).values()
        if parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    } - {"/cdk-bootstrap/hnb659fds/version"}
    assert read
    assert read <= written


def test_saved_queries_filters_and_tables_read_the_services_log_group(synthesis: Synthesis) -> None:
    name = synthesis.environment.name
    groups = {
        text(group)
        for query in operations(synthesis, "AWS::Logs::QueryDefinition")
        for group in query.properties["LogGroupNames"]
    }
    filtered = {text(each.properties["LogGroupName"]) for each in operations(synthesis, "AWS::Logs::MetricFilter")}
    assert len(filtered) == 1
    assert groups - filtered <= {f"/alphard/{name}/deployments"}


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "public"])
def test_an_own_balancer_is_watched_whole(synthesized: Callable[[str], Synthesis], name: str) -> None:
    for alarm, properties in alarms(synthesized(name)).items():
        for _, dimensions in metrics(properties):
            if "-burn-" in alarm:
                assert dimensions.keys() == {"LoadBalancer"}


def test_of_an_adopted_balancer_our_target_group_alone_is_watched(synthesized: Callable[[str], Synthesis]) -> None:
    for alarm, properties in alarms(synthesized("thuban")).items():
        for _, dimensions in metrics(properties):
            assert "TargetGroup" in dimensions or alarm.startswith(("model-", "promotion-", "alias-"))


@pytest.mark.parametrize("name", ["staging", "public", "cognito"])
def test_both_target_groups_of_a_deployment_are_watched(synthesized: Callable[[str], Synthesis], name: str) -> None:
    hosts = {dimensions["TargetGroup"] for _, dimensions in metrics(alarms(synthesized(name))["no-healthy-hosts"])}
    assert len(hosts) == 2


def test_bounds_are_the_widest_of_any_hour(synthesized: Callable[[str], Synthesis]) -> None:
    found = alarms(synthesized("public"))
    assert found["too-few-healthy-hosts"]["Threshold"] == 3
    assert found["capacity-at-maximum"]["Threshold"] == 24


def test_a_pinned_model_awaits_no_promotion(synthesized: Callable[[str], Synthesis]) -> None:
    assert "promotion-held-back" in alarms(synthesized("prod"))
    assert "promotion-held-back" not in alarms(synthesized("public"))


def test_a_function_is_watched_instead_of_hosts(synthesized: Callable[[str], Synthesis]) -> None:
    found = alarms(synthesized("serverless"))
    assert {"function-errors", "function-throttles", "function-duration"} <= found.keys()
    assert not any("hosts" in name for name in found)
    assert operations(synthesized("serverless"), "AWS::Events::Rule") == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_deployments_that_are_told_of_are_the_services(synthesized: Callable[[str], Synthesis], name: str) -> None:
    synthesis = synthesized(name)
    services = {each.properties["ServiceName"] for each in synthesis.resources("AWS::ECS::Service")}
    told = {
        text(arn).rpartition("/")[2]
        for rule in operations(synthesis, "AWS::Events::Rule")
        for arn in rule.properties["EventPattern"].get("resources", ())
    }
    assert told == services
