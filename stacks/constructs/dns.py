"""The name that clients know, and the certificate for it."""

from __future__ import annotations

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct


class AliasRecord(route53.CfnRecordSet):
    """A name that leads to a load balancer, ours or not, which is asked for its health."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        zone_id: str,
        name: str,
        balancer_dns_name: str,
        balancer_zone_id: str,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            hosted_zone_id=zone_id,
            name=name,
            type="A",
            alias_target=route53.CfnRecordSet.AliasTargetProperty(
                dns_name=balancer_dns_name, hosted_zone_id=balancer_zone_id, evaluate_target_health=True
            ),
        )


class Certificate(acm.Certificate):
    """For one name; CloudFormation proves it in the name's zone, and ACM renews it for as long as the proof stands."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, zone_id: str, zone_name: str) -> None:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            scope, f"{construct_id}Zone", hosted_zone_id=zone_id, zone_name=zone_name
        )
        super().__init__(
            scope,
            construct_id,
            certificate_name=name,
            domain_name=name,
            validation=acm.CertificateValidation.from_dns(zone),
        )
