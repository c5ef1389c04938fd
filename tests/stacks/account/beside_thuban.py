"""A test tool: what Thuban owns, made in the account by the APIs, under its real names."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from stacks.account.connection import Account
from tests.stacks import thuban

_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


class Thuban(NamedTuple):
    """The identifiers that the account gave."""

    vpc_id: str
    subnet_ids: tuple[str, ...]
    listener_arn: str
    security_group_id: str
    dns_name: str
    oidc_provider_arn: str


def make_thuban(account: Account) -> Thuban:
    """Its VPC, cluster, repository, balancer with a listener and a target group, log group, role and OIDC provider."""

    def make(service: str, operation: str, **arguments: Any) -> Any:
        return account.ask(service, operation, **arguments)

    vpc_id = make("ec2", "create_vpc", CidrBlock="172.31.0.0/16")["Vpc"]["VpcId"]
    subnet_ids = tuple(
        make("ec2", "create_subnet", VpcId=vpc_id, CidrBlock=f"172.31.{number}.0/24", AvailabilityZone=zone)["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate(thuban.AVAILABILITY_ZONES)
    )
    make("ecs", "create_cluster", clusterName=thuban.CLUSTER)
    make("ecr", "create_repository", repositoryName=thuban.REPOSITORY, imageTagMutability="IMMUTABLE")
    make("logs", "create_log_group", logGroupName=thuban.LOG_GROUP)
    make("iam", "create_role", RoleName=thuban.DELIVERY_ROLE, AssumeRolePolicyDocument=_TRUST)
    # The stand-in would write the name of ECS's own role in lower case.
    make("iam", "create_role", RoleName="AWSServiceRoleForECS", AssumeRolePolicyDocument=_TRUST)
    provider = make(
        "iam",
        "create_open_id_connect_provider",
        Url="https://token.actions.githubusercontent.com",
        ThumbprintList=["0" * 40],
    )
    group_id = make("ec2", "create_security_group", GroupName="alb", Description="alb", VpcId=vpc_id)["GroupId"]
    (balancer,) = make(
        "elbv2", "create_load_balancer", Name=thuban.LOAD_BALANCER, Subnets=list(subnet_ids), SecurityGroups=[group_id]
    )["LoadBalancers"]
    (group,) = make("elbv2", "create_target_group", Name=thuban.TARGET_GROUP, Protocol="HTTP", Port=8000, VpcId=vpc_id)[
        "TargetGroups"
    ]
    (listener,) = make(
        "elbv2",
        "create_listener",
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
    )["Listeners"]
    return Thuban(
        vpc_id,
        subnet_ids,
        listener["ListenerArn"],
        group_id,
        balancer["DNSName"],
        provider["OpenIDConnectProviderArn"],
    )
