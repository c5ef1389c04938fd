"""What an environment adopts: whether it is there, and as the settings say."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from stacks.account.connection import Account
from stacks.account.findings import Check, Finding
from stacks.account.names import LOOKUPS, is_taken
from stacks.settings import AdoptArn, AdoptListener, AdoptName, AdoptVpc, CognitoAuthentication, Environment, Vpc


def adopted(environment: Environment, account: Account) -> Iterator[Check]:
    """A check for each thing that is somebody else's."""
    yield from _by_name(environment, account)
    yield from _at_the_door(environment, account)
    if isinstance(environment.network.vpc, AdoptVpc):
        yield partial(_vpc, account, environment.network.vpc.adopt)
    if isinstance(environment.operations.topic, AdoptArn):
        yield partial(_topic, account, environment.operations.topic.adopt.arn)
    if environment.delivery is not None and isinstance(environment.delivery.oidc_provider, AdoptArn):
        yield partial(_oidc_provider, account, environment.delivery.oidc_provider.adopt.arn)


def _by_name(environment: Environment, account: Account) -> Iterator[Check]:
    for key, choice, kind in (
        ("storage.repository", environment.storage.repository, "AWS::ECR::Repository"),
        ("storage.model_bucket", environment.storage.model_bucket, "AWS::S3::Bucket"),
        ("storage.log_bucket", environment.storage.log_bucket, "AWS::S3::Bucket"),
        ("storage.log_group", environment.storage.log_group, "AWS::Logs::LogGroup"),
        ("fargate.cluster", environment.fargate.cluster, "AWS::ECS::Cluster"),
    ):
        if isinstance(choice, AdoptName):
            yield partial(_named, account, key, kind, choice.adopt.name)


def _at_the_door(environment: Environment, account: Account) -> Iterator[Check]:
    door = environment.load_balancer
    if isinstance(door.listener, AdoptListener):
        yield partial(_listener, account, door.listener.adopt.listener_arn)
    if isinstance(door.certificate, AdoptArn):
        yield partial(_certificate, account, door.certificate.adopt.arn)
    if isinstance(door.authentication, CognitoAuthentication):
        yield partial(_user_pool, account, door.authentication.cognito.user_pool_arn)
    if environment.dns is not None:
        yield partial(_zone, account, environment.dns.zone_id, environment.dns.zone_name)


def _named(account: Account, key: str, kind: str, name: str) -> Iterator[Finding]:
    lookup = LOOKUPS[kind]
    if not is_taken(account, lookup, {lookup.property: name}):
        yield _adopted(key, f"there is no {lookup.noun} {name} in {account.region}")


def _adopted(key: str, what: str) -> Finding:
    return Finding("fault", what, f'correct {key} in cdk.json, or set it to "own"')


def _vpc(account: Account, vpc: Vpc) -> Iterator[Finding]:
    if account.ask("ec2", "describe_vpcs", ("InvalidVpcID.NotFound",), VpcIds=[vpc.vpc_id]) is None:
        yield _adopted("network.vpc", f"there is no VPC {vpc.vpc_id} in {account.region}")
        return
    wanted = {*vpc.public_subnet_ids, *vpc.private_subnet_ids}
    answer = account.ask("ec2", "describe_subnets", Filters=[{"Name": "vpc-id", "Values": [vpc.vpc_id]}])
    if missing := sorted(wanted - {subnet["SubnetId"] for subnet in answer["Subnets"]}):
        yield _adopted("network.vpc", f"VPC {vpc.vpc_id} has no subnet {', '.join(missing)}")


def _listener(account: Account, arn: str) -> Iterator[Finding]:
    if account.ask("elbv2", "describe_listeners", ("ListenerNotFound",), ListenerArns=[arn]) is None:
        yield _adopted("load_balancer.listener", f"there is no listener {arn}")


def _certificate(account: Account, arn: str) -> Iterator[Finding]:
    answer = account.ask("acm", "describe_certificate", ("ResourceNotFoundException",), CertificateArn=arn)
    key = "load_balancer.certificate"
    if answer is None:
        yield Finding("fault", f"there is no certificate {arn} in {account.region}", f"correct {key} in cdk.json")
    elif (status := answer["Certificate"]["Status"]) != "ISSUED":
        yield Finding("fault", f"certificate {arn} is {status}", "complete its validation, and wait until it is issued")


def _user_pool(account: Account, arn: str) -> Iterator[Finding]:
    pool = arn.rpartition("/")[2]
    if account.ask("cognito-idp", "describe_user_pool", ("ResourceNotFoundException",), UserPoolId=pool) is None:
        key = "load_balancer.authentication"
        yield Finding("fault", f"there is no user pool {pool} in {account.region}", f"correct {key} in cdk.json")


def _zone(account: Account, zone_id: str, name: str) -> Iterator[Finding]:
    answer = account.ask("route53", "get_hosted_zone", ("NoSuchHostedZone",), Id=zone_id)
    if answer is None:
        yield Finding("fault", f"there is no hosted zone {zone_id}", "correct dns in cdk.json")
    elif (found := answer["HostedZone"]["Name"].rstrip(".")) != name.rstrip("."):
        yield Finding("fault", f"hosted zone {zone_id} is of {found}, not of {name}", "correct dns in cdk.json")


def _topic(account: Account, arn: str) -> Iterator[Finding]:
    if account.ask("sns", "get_topic_attributes", ("NotFound", "NotFoundException"), TopicArn=arn) is None:
        yield _adopted("operations.topic", f"there is no topic {arn}")


def _oidc_provider(account: Account, arn: str) -> Iterator[Finding]:
    missing = ("NoSuchEntity",)
    if account.ask("iam", "get_open_id_connect_provider", missing, OpenIDConnectProviderArn=arn) is None:
        yield _adopted("delivery.oidc_provider", f"there is no OIDC provider {arn}")
