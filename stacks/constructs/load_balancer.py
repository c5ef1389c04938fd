"""The load balancer of our own: who may call it, how it listens, what it writes down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from stacks.constructs.routing import nothing_here


class LoadBalancer(elbv2.ApplicationLoadBalancer):
    """With a certificate it listens on HTTPS, and on HTTP only to redirect there; without one on HTTP.

    ``entrance`` is the listener for requests; where no rule of it takes one there is nothing. The balancer reaches the
    targets that are opened to it and, with ``asks_identity_provider``, whoever issues the clients' tokens. It has no
    name of ours, so that it can be replaced. The trace id of each request reaches the targets without a setting.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        scheme: Literal["internet-facing", "internal"],
        allowed_cidrs: Sequence[str],
        certificate: elbv2.IListenerCertificate | None,
        asks_identity_provider: bool,
        idle_timeout_seconds: int,
        log_bucket_name: str,
        deletion_protection: bool,
    ) -> None:
        group = _security_group(scope, f"{construct_id}SecurityGroup", vpc, asks_identity_provider)
        super().__init__(
            scope,
            construct_id,
            vpc=vpc,
            vpc_subnets=subnets,
            internet_facing=scheme == "internet-facing",
            security_group=group,
            idle_timeout=cdk.Duration.seconds(idle_timeout_seconds),
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elbv2.DesyncMitigationMode.DEFENSIVE,
            deletion_protection=deletion_protection,
        )
        # As attributes: the CDK's method for it must know the region, of which the policy once depended.
        self.set_attribute("access_logs.s3.enabled", "true")
        self.set_attribute("access_logs.s3.bucket", log_bucket_name)
        self.entrance = self._listen(certificate)
        for cidr in allowed_cidrs:
            for port in (443, 80) if certificate else (80,):
                group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(port), "Clients")
        cdk.Validations.of(group).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-EC23",
                reason="Who may call is said by load_balancer.allowed_cidrs; a public service is for every address.",
            )
        )

    @property
    def full_name(self) -> str:
        """``app/name/id``, as CloudWatch's dimension has it: the end of the ARN, which a reference gives."""
        return cdk.Fn.select(1, cdk.Fn.split("loadbalancer/", self.load_balancer_arn))

    def _listen(self, certificate: elbv2.IListenerCertificate | None) -> elbv2.ApplicationListener:
        if certificate is None:
            return self.add_listener(
                "Http", protocol=elbv2.ApplicationProtocol.HTTP, open=False, default_action=nothing_here()
            )
        redirect = elbv2.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True)
        self.add_listener("Http", protocol=elbv2.ApplicationProtocol.HTTP, open=False, default_action=redirect)
        return self.add_listener(
            "Https",
            protocol=elbv2.ApplicationProtocol.HTTPS,
            certificates=[certificate],
            ssl_policy=elbv2.SslPolicy.TLS13_12_RES_PQ,
            open=False,
            default_action=nothing_here(),
        )


def _security_group(scope: Construct, construct_id: str, vpc: ec2.IVpc, asks: bool) -> ec2.SecurityGroup:
    group = ec2.SecurityGroup(
        scope, construct_id, vpc=vpc, description="The load balancer of the service", allow_all_outbound=False
    )
    if asks:
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "Whoever issues the clients' tokens")
    return group
