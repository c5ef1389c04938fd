from __future__ import annotations

import aws_cdk as cdk

from stacks.constructs.dns import AliasRecord, Certificate
from tests.stacks import alone


def test_the_name_leads_to_the_balancer_for_nothing() -> None:
    stack = cdk.Stack(alone.app(), "Stack")
    AliasRecord(
        stack,
        "Record",
        zone_id="Z0123456789ABCDEFGHIJ",
        name="predict.example.com",
        balancer_dns_name="ours-1.eu-central-1.elb.amazonaws.com",
        balancer_zone_id="Z215JYRZR1TBD5",
    )
    (record,) = alone.of_type(alone.resources(stack), "AWS::Route53::RecordSet")
    assert (record["Name"], record["Type"], record["HostedZoneId"]) == (
        "predict.example.com",
        "A",
        "Z0123456789ABCDEFGHIJ",
    )
    assert record["AliasTarget"] == {
        "DNSName": "ours-1.eu-central-1.elb.amazonaws.com",
        "HostedZoneId": "Z215JYRZR1TBD5",
        "EvaluateTargetHealth": True,
    }


def test_a_certificate_is_proven_in_the_names_zone() -> None:
    stack = cdk.Stack(alone.app(), "Stack")
    Certificate(
        stack, "Certificate", name="predict.example.com", zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com"
    )
    (certificate,) = alone.of_type(alone.resources(stack), "AWS::CertificateManager::Certificate")
    assert (certificate["DomainName"], certificate["ValidationMethod"]) == ("predict.example.com", "DNS")
    assert certificate["DomainValidationOptions"] == [
        {"DomainName": "predict.example.com", "HostedZoneId": "Z0123456789ABCDEFGHIJ"}
    ]
