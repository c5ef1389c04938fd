from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.network import NetworkStack
from stacks.serving import ServingStack
from stacks.storage import StorageStack
from tests.stacks import alone, thuban
from tests.stacks.constructs.sites import CERTIFICATE
from tests.stacks.environments import ROOT, THUBAN
from tests.stacks.synthesis import IMAGE_TAG, Resource, Synthesis
from tests.stacks.template_yaml import to_text

ELB = "AWS::ElasticLoadBalancingV2"
FUNCTION: dict[str, Any] = {
    "compute": "lambda",
    "network": {"egress": "none"},
    "service": {"max_body_bytes": 1_000_000},
}
LISTENER: dict[str, Any] = THUBAN["load_balancer"]["listener"]["adopt"]  # type: ignore[index]  # as JSON has it
DNS = {"zone_id": "Z0123456789ABCDEFGHIJ", "zone_name": "example.com", "record": "predict.example.com"}
WITH_CERTIFICATE = {"load_balancer": {"certificate": {"adopt": {"arn": CERTIFICATE}}}}


def adopting(**changed: Any) -> dict[str, Any]:
    return {"load_balancer": {"listener": {"adopt": {**LISTENER, **changed}}}}


def stack(**settings: Any) -> ServingStack:
    """The stack by itself, of an environment with these settings."""
    app, environment = alone.app(), alone.environment(**settings)
    storage, network = StorageStack(app, environment), NetworkStack(app, environment)
    return ServingStack(app, environment, image_tag=IMAGE_TAG, storage=storage, network=network)


def made(kind: str, **settings: Any) -> list[dict[str, Any]]:
    return alone.of_type(alone.resources(stack(**settings)), kind)


def serving(synthesis: Synthesis, *types: str) -> list[Resource]:
    return [resource for resource in synthesis.resources(*types) if resource.stack == "Serving"]


def written(resources: list[Mapping[str, Any]]) -> dict[str, str]:
    """The parameters by the last part of their names."""
    return {each["Name"].rpartition("/")[2]: to_text(each["Value"]) or str(each["Value"]) for each in resources}


# --- what others stand on --------------------------------------------------------------------------------------------


def test_others_find_what_only_a_deployment_knows_in_parameters(synthesis: Synthesis) -> None:
    environment = synthesis.environment
    parameters = [each.properties for each in serving(synthesis, "AWS::SSM::Parameter")]
    path = f"/alphard/{environment.name}/serving/"
    assert all(each["Name"].startswith(path) for each in parameters)
    shifts = environment.compute == "fargate" and environment.deployment.strategy != "rolling"
    alternate = {"target-group-alternate"} if shifts else set()
    found = written(parameters)
    assert found.keys() == {"load-balancer", "target-group", "url"} | alternate
    outputs = synthesis.templates["Serving"]["Outputs"]
    assert {key: to_text(output["Value"]) for key, output in outputs.items()} == {"Url": found["url"]}


@pytest.mark.parametrize(("strategy", "groups"), [("rolling", 1), ("canary", 2), ("linear", 2), ("blue_green", 2)])
def test_the_parameters_are_where_the_stack_says(strategy: str, groups: int) -> None:
    found = stack(deployment={"strategy": strategy})
    names = {each["Name"] for each in alone.of_type(alone.resources(found), "AWS::SSM::Parameter")}
    assert {found.load_balancer_parameter, *found.target_group_parameters} < names
    assert len(found.target_group_parameters) == groups


def test_the_names_that_others_watch_are_those_of_the_resources() -> None:
    tasks, function = stack(), stack(**FUNCTION)
    found = alone.resources(tasks)
    assert [each["ServiceName"] for each in alone.of_type(found, "AWS::ECS::Service")] == [tasks.service_name]
    assert [each["ClusterName"] for each in alone.of_type(found, "AWS::ECS::Cluster")] == [tasks.cluster_name]
    functions = alone.of_type(alone.resources(function), "AWS::Lambda::Function")
    assert [each["FunctionName"] for each in functions] == [function.function_name]


def test_an_adopted_cluster_keeps_its_name() -> None:
    found = stack(fargate={"cluster": {"adopt": {"name": thuban.CLUSTER}}})
    assert found.cluster_name == thuban.CLUSTER
    (service,) = alone.of_type(alone.resources(found), "AWS::ECS::Service")
    assert service["Cluster"] == thuban.CLUSTER


def test_an_adopted_listeners_balancer_is_known_by_its_full_name() -> None:
    parameters: list[Mapping[str, Any]] = list(made("AWS::SSM::Parameter", **adopting()))
    assert written(parameters)["load-balancer"] == f"app/{thuban.LOAD_BALANCER}/50dc6c495c0c9188"


# --- the way in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "http://${LoadBalancerBE9EEC3A.DNSName}"),
        (WITH_CERTIFICATE, "https://${LoadBalancerBE9EEC3A.DNSName}"),
        ({**WITH_CERTIFICATE, "dns": DNS}, "https://predict.example.com"),
        (adopting(), "http://alphard.example.com"),
        (adopting(protocol="https"), "https://alphard.example.com"),
        (adopting(hosts=["*.example.com", "api.example.org"]), "http://api.example.org"),
        (adopting(hosts=[]), f"http://{thuban.DNS_NAME}"),
        ({**adopting(hosted_zone_id="Z215JYRZR1TBD5"), "dns": DNS}, "http://predict.example.com"),
    ],
)
def test_the_url_is_the_one_that_clients_call(settings: dict[str, Any], expected: str) -> None:
    parameters: list[Mapping[str, Any]] = list(made("AWS::SSM::Parameter", **settings))
    assert written(parameters)["url"] == expected


def test_the_name_that_clients_know_leads_to_whichever_balancer_it_is() -> None:
    (ours,) = made("AWS::Route53::RecordSet", dns=DNS)
    assert to_text(ours["AliasTarget"]["DNSName"]) == "${LoadBalancerBE9EEC3A.DNSName}"
    (theirs,) = made("AWS::Route53::RecordSet", dns=DNS, **adopting(hosted_zone_id="Z215JYRZR1TBD5"))
    assert theirs["AliasTarget"]["DNSName"] == thuban.DNS_NAME
    assert theirs["AliasTarget"]["HostedZoneId"] == "Z215JYRZR1TBD5"


def test_an_own_certificate_is_for_the_name_that_clients_know() -> None:
    (certificate,) = made("AWS::CertificateManager::Certificate", dns=DNS, load_balancer={"certificate": "own"})
    assert certificate["DomainName"] == DNS["record"]


def test_at_an_adopted_listener_there_are_two_rules_and_nothing_else_of_a_balancer() -> None:
    found = alone.resources(stack(**adopting(priority=70)))
    types = {resource["Type"] for resource in found.values()}
    assert not types & {f"{ELB}::LoadBalancer", f"{ELB}::Listener", "AWS::WAFv2::WebACL"}
    rules = alone.of_type(found, f"{ELB}::ListenerRule")
    assert sorted(rule["Priority"] for rule in rules) == [70, 71]
    assert {rule["ListenerArn"] for rule in rules} == {thuban.LISTENER_ARN}
    assert [condition["Field"] for condition in rules[0]["Conditions"]].count("host-header") == 1


def test_behind_an_adopted_listener_its_balancer_alone_reaches_a_task() -> None:
    (ingress,) = made("AWS::EC2::SecurityGroupIngress", **adopting())
    assert ingress["SourceSecurityGroupId"] == thuban.SECURITY_GROUP_ID
    assert (ingress["FromPort"], ingress["ToPort"]) == (8000, 8000)
    assert not made("AWS::EC2::SecurityGroupEgress", **adopting())


def test_who_a_client_is_is_asked_at_the_rule_and_not_of_a_health_check(synthesis: Synthesis) -> None:
    authentication = synthesis.environment.load_balancer.authentication
    asks = [
        action["Type"]
        for rule in serving(synthesis, f"{ELB}::ListenerRule")
        for action in rule.properties["Actions"]
        if action["Type"] not in ("forward", "fixed-response")
    ]
    assert len(asks) == (0 if authentication is None else 1)
    for listener in serving(synthesis, f"{ELB}::Listener"):
        assert {action["Type"] for action in listener.properties["DefaultActions"]} <= {"fixed-response", "redirect"}


def test_a_firewall_stands_where_it_was_asked_for(synthesis: Synthesis) -> None:
    firewalls = serving(synthesis, "AWS::WAFv2::WebACL")
    assert len(firewalls) == (0 if synthesis.environment.firewall is None else 1)
    groups = [group.properties for group in serving(synthesis, "AWS::Logs::LogGroup")]
    days = synthesis.environment.storage.log_retention_days
    assert [group["RetentionInDays"] for group in groups] == [days] * len(firewalls)


# --- what answers ----------------------------------------------------------------------------------------------------


def test_a_listener_sends_requests_to_every_group_that_others_know(synthesis: Synthesis) -> None:
    groups = {group.logical_id for group in serving(synthesis, f"{ELB}::TargetGroup")}
    forwarded = json.dumps([rule.properties["Actions"] for rule in serving(synthesis, f"{ELB}::ListenerRule")])
    assert all(f'"{group}"' in forwarded for group in groups)
    known = written([each.properties for each in serving(synthesis, "AWS::SSM::Parameter")])
    assert len(groups) == len([name for name in known if name.startswith("target-group")])


def test_a_task_is_waited_for_as_long_as_it_may_load(synthesis: Synthesis) -> None:
    check = synthesis.environment.load_balancer.health_check
    for service in serving(synthesis, "AWS::ECS::Service"):
        grace = service.properties["HealthCheckGracePeriodSeconds"]
        seen = check.interval_seconds * check.healthy_count
        assert grace >= synthesis.environment.service.load_deadline_seconds + seen


@pytest.mark.parametrize(("production", "base"), [(False, 0), (True, 1)])
def test_in_production_one_task_is_never_on_spot(production: bool, base: int) -> None:
    settings = {"production": production, "fargate": {"spot_percent": 50}, "scaling": {"minimum_tasks": 2}}
    (service,) = made("AWS::ECS::Service", load_balancer={"scheme": "internal"}, **settings)
    on_demand, spot = service["CapacityProviderStrategy"]
    assert (on_demand["Base"], "Base" in spot) == (base, False)


def test_the_alarms_that_undo_a_release_are_there(synthesis: Synthesis) -> None:
    there = {each.properties.get("AlarmName") for each in serving(synthesis, "AWS::CloudWatch::Alarm")}
    for service in serving(synthesis, "AWS::ECS::Service"):
        named = service.properties["DeploymentConfiguration"]["Alarms"]["AlarmNames"]
        assert set(named) == there
        assert len(named) >= 3


# --- the image -------------------------------------------------------------------------------------------------------


def run_cli(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The CDK's command line, as a person runs it, with nobody to reach."""
    command = [str(ROOT / "node_modules" / ".bin" / "cdk"), *arguments, "--output", str(folder), "--no-notices"]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_without_a_tag_a_person_can_have_what_needs_none_and_is_told_what_is_missing(tmp_path: Path) -> None:
    storage = run_cli(tmp_path / "storage", "synth", "Storage", "--quiet")
    assert storage.returncode == 0, storage.stderr
    serving = run_cli(tmp_path / "serving", "synth", "Serving", "--quiet")
    assert serving.returncode != 0
    said = [line for line in (serving.stdout + serving.stderr).splitlines() if "image_tag" in line]
    assert len(said) == 1
    assert "-c image_tag=SHA" in said[0]


def test_the_image_is_that_of_the_commit() -> None:
    (task,) = made("AWS::ECS::TaskDefinition")
    assert (to_text(task["ContainerDefinitions"][0]["Image"]) or "").endswith(f"/alphard-alone-service:{IMAGE_TAG}")
