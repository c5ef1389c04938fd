"""What a listener does with a request: hides what is not for clients, asks who it is, and sends it on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_elasticloadbalancingv2_actions as actions
from constructs import Construct

Authenticate = Callable[[elbv2.ListenerAction], elbv2.ListenerAction]
"""Puts the question who a client is before an action."""

_HIDDEN_PATHS = ["/metrics"]


class Routing(Construct):
    """Two rules of a listener, at ``priority`` and the next: ``/metrics``, which is the operator's, is not found, and
    everything else goes to the targets, if need be once ``authenticate`` is content. With ``hosts`` both are for these
    alone. Health checks do not pass a listener.

    With two target groups ``rule`` is the one in which ECS moves the weights. The template says how they begin, and
    CloudFormation puts them back to that whenever the rule itself is changed; after an odd number of deployments the
    first group is empty. So a change of a listener's rule wants a deployment after it, or a quiet hour.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        listener: elbv2.IApplicationListener,
        priority: int,
        hosts: Sequence[str],
        target_groups: Sequence[elbv2.IApplicationTargetGroup],
        authenticate: Authenticate | None,
    ) -> None:
        super().__init__(scope, construct_id)
        of_hosts = [elbv2.ListenerCondition.host_headers(list(hosts))] if hosts else []
        elbv2.ApplicationListenerRule(
            self,
            "Hide",
            listener=listener,
            priority=priority,
            conditions=[*of_hosts, elbv2.ListenerCondition.path_patterns(_HIDDEN_PATHS)],
            action=nothing_here(),
        )
        forward = _forward(target_groups)
        self.rule = elbv2.ApplicationListenerRule(
            self,
            "Forward",
            listener=listener,
            priority=priority + 1,
            conditions=[*of_hosts, elbv2.ListenerCondition.path_patterns(["/*"])],
            action=authenticate(forward) if authenticate else forward,
        )


def nothing_here() -> elbv2.ListenerAction:
    """As the service says it, but for the content type: a balancer cannot say ``application/problem+json``."""
    problem = {"type": "urn:alphard:problem:not-found", "title": "There is nothing here", "status": 404}
    return elbv2.ListenerAction.fixed_response(404, content_type="application/json", message_body=json.dumps(problem))


def verify_jwt(*, issuer: str, jwks_url: str) -> Authenticate:
    """A client's bearer token must be its issuer's; else it gets a 401."""
    return lambda then: elbv2.ListenerAction.authenticate_jwt(issuer=issuer, jwks_endpoint=jwks_url, next=then)


def ask_cognito(scope: Construct, *, user_pool_arn: str, client_id: str, domain: str) -> Authenticate:
    """A person without a session is sent to the user pool's page to log in."""
    pool = cognito.UserPool.from_user_pool_arn(scope, "UserPool", user_pool_arn)
    client = cognito.UserPoolClient.from_user_pool_client_id(scope, "UserPoolClient", client_id)
    page = cognito.UserPoolDomain.from_domain_name(scope, "UserPoolDomain", domain)
    return lambda then: actions.AuthenticateCognitoAction(
        user_pool=pool, user_pool_client=client, user_pool_domain=page, next=then, allow_https_outbound=False
    )


def _forward(target_groups: Sequence[elbv2.IApplicationTargetGroup]) -> elbv2.ListenerAction:
    first, *others = target_groups
    if not others:
        return elbv2.ListenerAction.forward([first])
    weights = {first: 100, **dict.fromkeys(others, 0)}
    return elbv2.ListenerAction.weighted_forward(
        [elbv2.WeightedTargetGroup(target_group=group, weight=weight) for group, weight in weights.items()]
    )
