from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from tests.stacks import alone
from tests.stacks.constructs.sites import PRIVATE, PUBLIC, certificate, load_balancer, vpc_in
from tests.stacks.template_yaml import to_text


def made(**changed: Any) -> dict[str, dict[str, Any]]:
    stack = cdk.Stack(alone.app(), "Stack")
    load_balancer(stack, vpc_in(stack), **changed)
    return alone.resources(stack)


def balancer(**changed: Any) -> dict[str, Any]:
    (found,) = alone.of_type(made(**changed), "AWS::ElasticLoadBalancingV2::LoadBalancer")
    return found


def attributes(**changed: Any) -> dict[str, str]:
    return {each["Key"]: to_text(each["Value"]) or "" for each in balancer(**changed)["LoadBalancerAttributes"]}


def listeners(**changed: Any) -> dict[int, dict[str, Any]]:
    found = alone.of_type(made(**changed), "AWS::ElasticLoadBalancingV2::Listener")
    return {each["Port"]: each for each in found}


def group(**changed: Any) -> dict[str, Any]:
    (found,) = alone.of_type(made(**changed), "AWS::EC2::SecurityGroup")
    return found


def test_without_a_certificate_it_listens_on_http() -> None:
    found = listeners()
    assert {port: each["Protocol"] for port, each in found.items()} == {80: "HTTP"}


def test_with_a_certificate_http_leads_to_https() -> None:
    found = listeners(certificate=certificate())
    assert {port: each["Protocol"] for port, each in found.items()} == {80: "HTTP", 443: "HTTPS"}
    (redirect,) = found[80]["DefaultActions"]
    assert redirect["RedirectConfig"] == {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    assert found[443]["Certificates"] == [{"CertificateArn": certificate().certificate_arn}]
    assert found[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"


@pytest.mark.parametrize("with_certificate", [False, True])
def test_where_no_rule_takes_a_request_there_is_nothing(with_certificate: bool) -> None:
    found = listeners(certificate=certificate() if with_certificate else None)
    (answer,) = found[443 if with_certificate else 80]["DefaultActions"]
    assert (answer["Type"], answer["FixedResponseConfig"]["StatusCode"]) == ("fixed-response", "404")


@pytest.mark.parametrize(("scheme", "subnets"), [("internet-facing", PUBLIC), ("internal", PRIVATE)])
def test_it_stands_where_its_clients_are(scheme: str, subnets: list[str]) -> None:
    where = ec2.SubnetType.PUBLIC if scheme == "internet-facing" else ec2.SubnetType.PRIVATE_WITH_EGRESS
    found = balancer(scheme=scheme, subnets=ec2.SubnetSelection(subnet_type=where))
    assert (found["Scheme"], found["Subnets"]) == (scheme, subnets)
    assert "Name" not in found


def test_only_allowed_addresses_reach_its_ports() -> None:
    def opened(**changed: Any) -> set[tuple[str, int]]:
        return {(rule["CidrIp"], rule["FromPort"]) for rule in group(**changed)["SecurityGroupIngress"]}

    assert opened() == {("203.0.113.0/24", 80), ("198.51.100.0/24", 80)}
    allowed = ["203.0.113.0/24"]
    found = opened(certificate=certificate(), allowed_cidrs=allowed)
    assert found == {("203.0.113.0/24", 80), ("203.0.113.0/24", 443)}


def test_it_reaches_nobody_but_who_issues_tokens_if_it_asks() -> None:
    (nowhere,) = group()["SecurityGroupEgress"]
    assert nowhere["CidrIp"] == "255.255.255.255/32"
    (issuer,) = group(asks_identity_provider=True)["SecurityGroupEgress"]
    assert (issuer["CidrIp"], issuer["FromPort"], issuer["ToPort"]) == ("0.0.0.0/0", 443, 443)


def test_what_was_said_of_it_stands_in_its_attributes() -> None:
    assert attributes(idle_timeout_seconds=90, deletion_protection=True) == {
        "idle_timeout.timeout_seconds": "90",
        "deletion_protection.enabled": "true",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http.desync_mitigation_mode": "defensive",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "logs-${AWS::AccountId}",
    }
    assert attributes()["deletion_protection.enabled"] == "false"


def test_its_full_name_is_the_end_of_its_arn() -> None:
    stack = cdk.Stack(alone.app(), "Stack")
    (index, text) = stack.resolve(load_balancer(stack, vpc_in(stack)).full_name)["Fn::Select"]
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/ours/1a2b"
    assert text["Fn::Split"][1].keys() == {"Ref"}
    assert arn.split(text["Fn::Split"][0])[index] == "app/ours/1a2b"
