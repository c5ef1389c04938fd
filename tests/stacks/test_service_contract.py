"""Where the stacks and the service meet: variables, ports, paths, timeouts, and what the service may touch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from service.routes import routes
from service.settings import Settings, read_settings
from stacks.settings import AdoptListener
from tests.stacks.synthesis import Resource, Synthesis
from tests.stacks.template_yaml import to_text

PATHS = {route.path for route in routes(*(cast("Any", None) for _ in range(4)))}


def _containers(synthesis: Synthesis) -> Iterator[Mapping[str, Any]]:
    for task in synthesis.resources("AWS::ECS::TaskDefinition"):
        yield from task.properties["ContainerDefinitions"]


def _variables(synthesis: Synthesis) -> dict[str, str]:
    """What the service is told, in a task or in a function."""
    pairs = [
        (entry["Name"], entry["Value"]) for container in _containers(synthesis) for entry in container["Environment"]
    ]
    for function in synthesis.resources("AWS::Lambda::Function"):
        pairs += function.properties["Environment"]["Variables"].items()
    return {name: to_text(value) or "" for name, value in pairs}


def _settings(synthesis: Synthesis) -> Settings:
    return read_settings(_variables(synthesis))


def _attributes(resource: Resource, key: str) -> dict[str, str]:
    return {entry["Key"]: entry["Value"] for entry in resource.properties[key]}


def test_the_service_reads_what_the_environment_sets(synthesis: Synthesis) -> None:
    settings = _settings(synthesis)
    for key, value in synthesis.environment.service:
        assert getattr(settings, key) == value, key
    model = synthesis.environment.model
    assert settings.model_uri.endswith(
        f"/{model.name}@{model.alias}" if model.alias else f"/{model.name}/{model.version}"
    )


def test_no_secret_is_told_in_plain_text(synthesis: Synthesis) -> None:
    for name, value in _variables(synthesis).items():
        assert not re.search(r"password|secret|token|credential|(private|api|access).?key", name, re.IGNORECASE), name
        assert not re.search(r"AKIA|ASIA|BEGIN [A-Z ]*PRIVATE|://[^/]*:[^/]*@", value), name


def test_the_port_is_the_same_on_both_sides(synthesis: Synthesis) -> None:
    settings = _settings(synthesis)
    for container in _containers(synthesis):
        assert [mapping["ContainerPort"] for mapping in container["PortMappings"]] == [settings.port]
    for group in synthesis.resources("AWS::ElasticLoadBalancingV2::TargetGroup"):
        assert group.properties.get("Port", settings.port) == settings.port
    for service in synthesis.resources("AWS::ECS::Service"):
        assert {entry["ContainerPort"] for entry in service.properties["LoadBalancers"]} == {settings.port}


def test_health_is_asked_where_the_service_answers(synthesis: Synthesis) -> None:
    groups = synthesis.resources("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert {group.properties["HealthCheckPath"] for group in groups} == {"/ready"} <= PATHS
    for container in _containers(synthesis):
        command = " ".join(container["HealthCheck"]["Command"])
        assert "/live" in command
        assert "/live" in PATHS


def test_the_timeouts_stand_in_their_order(synthesis: Synthesis) -> None:
    settings, balancer = _settings(synthesis), synthesis.environment.load_balancer
    assert settings.keep_alive_seconds > balancer.idle_timeout_seconds > settings.request_deadline_seconds
    for load_balancer in synthesis.resources("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        idle = _attributes(load_balancer, "LoadBalancerAttributes")["idle_timeout.timeout_seconds"]
        assert int(idle) == balancer.idle_timeout_seconds
    for container in _containers(synthesis):
        draining = settings.drain_hold_seconds + settings.graceful_timeout_seconds
        assert draining < container["StopTimeout"] <= 120


def test_a_target_leaves_the_balancer_before_it_stops_to_listen(synthesis: Synthesis) -> None:
    settings = _settings(synthesis)
    for group in synthesis.resources("AWS::ElasticLoadBalancingV2::TargetGroup"):
        check = group.properties
        if check["TargetType"] == "ip":
            seen = check["HealthCheckIntervalSeconds"] * check["UnhealthyThresholdCount"]
            assert seen + check["HealthCheckTimeoutSeconds"] <= settings.drain_hold_seconds
            delay = _attributes(group, "TargetGroupAttributes")["deregistration_delay.timeout_seconds"]
            assert settings.request_deadline_seconds <= int(delay) < 120


def test_a_task_may_change_nothing_but_its_temporary_folder(synthesis: Synthesis) -> None:
    for container in _containers(synthesis):
        assert container["ReadonlyRootFilesystem"] is True
        assert [point["ContainerPath"] for point in container["MountPoints"] if not point["ReadOnly"]] == ["/tmp"]  # noqa: S108  # the volume's place


def test_a_task_is_nobody_in_particular(synthesis: Synthesis) -> None:
    for container in _containers(synthesis):
        assert container["User"] == "10001"
        assert not container.get("Privileged")
        assert "Add" not in container.get("LinuxParameters", {}).get("Capabilities", {})
    for service in synthesis.resources("AWS::ECS::Service"):
        assert not service.properties.get("EnableExecuteCommand")


def test_a_failed_deployment_is_rolled_back(synthesis: Synthesis) -> None:
    for service in synthesis.resources("AWS::ECS::Service"):
        deployment = service.properties["DeploymentConfiguration"]
        assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
        assert deployment["Alarms"]["Enable"] is True
        assert deployment["Alarms"]["Rollback"] is True
        assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)


def _ingress(synthesis: Synthesis) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each rule, with the security group that it opens."""
    for group in synthesis.resources("AWS::EC2::SecurityGroup"):
        yield from ((group.logical_id, rule) for rule in group.properties.get("SecurityGroupIngress", []))
    for rule in synthesis.resources("AWS::EC2::SecurityGroupIngress"):
        yield str(to_text(rule.properties["GroupId"])), rule.properties


def test_only_the_balancer_is_open_to_addresses_outside_and_only_to_those_allowed(synthesis: Synthesis) -> None:
    inside = synthesis.environment.network.cidr
    balancers = [
        str(to_text(group))
        for balancer in synthesis.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
        for group in balancer.properties["SecurityGroups"]
    ]
    for group, rule in _ingress(synthesis):
        cidr = rule.get("CidrIp") or rule.get("CidrIpv6")
        if cidr not in (None, inside):
            assert any(group in balancer for balancer in balancers), (group, rule)
            assert cidr in synthesis.environment.load_balancer.allowed_cidrs, (group, rule)


def test_a_balancer_keeps_malformed_headers_out_and_writes_down_what_it_served(synthesis: Synthesis) -> None:
    balancers = synthesis.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
    adopted = isinstance(synthesis.environment.load_balancer.listener, AdoptListener)
    assert len(balancers) == (0 if adopted else 1)
    for balancer in balancers:
        attributes = _attributes(balancer, "LoadBalancerAttributes")
        assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
        assert attributes["access_logs.s3.enabled"] == "true"
        assert attributes["deletion_protection.enabled"] == str(synthesis.environment.production).lower()
        assert balancer.properties["Scheme"] == synthesis.environment.load_balancer.scheme


def test_where_there_is_a_certificate_nothing_is_served_without_it(synthesis: Synthesis) -> None:
    for listener in synthesis.resources("AWS::ElasticLoadBalancingV2::Listener"):
        if synthesis.environment.load_balancer.certificate is None:
            continue
        if listener.properties["Protocol"] == "HTTP":
            ((action, redirect),) = ((entry["Type"], entry) for entry in listener.properties["DefaultActions"])
            assert action == "redirect", redirect
        else:
            assert listener.properties["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2"), listener
