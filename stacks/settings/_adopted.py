"""What is adopted rather than owned: a shared resource is ``"own"`` (ours, made here) or ``{"adopt": {...}}``
(somebody else's, by plain identifiers)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stacks.settings._fields import (
    BucketName,
    CertificateArn,
    ClusterName,
    DomainName,
    HostedZoneId,
    HostPattern,
    Items,
    ListenerArn,
    LogGroupName,
    OidcProviderArn,
    RepositoryName,
    SecurityGroupId,
    Settings,
    SubnetId,
    TopicArn,
    VpcId,
    Zone,
)


class Name(Settings):
    name: str


class AdoptName(Settings):
    adopt: Name


class Repository(Name):
    name: RepositoryName = Field(description="an ECR repository's name, such as team/alphard")


class AdoptRepository(AdoptName):
    adopt: Repository = Field(description='{"name": "..."}')


class Bucket(Name):
    name: BucketName = Field(description="an S3 bucket's name")


class AdoptBucket(AdoptName):
    adopt: Bucket = Field(description='{"name": "..."}')


class LogGroup(Name):
    name: LogGroupName = Field(description="a log group's name, such as /ecs/alphard")


class AdoptLogGroup(AdoptName):
    adopt: LogGroup = Field(description='{"name": "..."}')


class Cluster(Name):
    name: ClusterName = Field(description="an ECS cluster's name")


class AdoptCluster(AdoptName):
    adopt: Cluster = Field(description='{"name": "..."}')


class Arn(Settings):
    arn: str


class AdoptArn(Settings):
    adopt: Arn


class Certificate(Arn):
    arn: CertificateArn = Field(description="an ARN such as arn:aws:acm:eu-central-1:123456789012:certificate/1a2b")


class AdoptCertificate(AdoptArn):
    adopt: Certificate = Field(description='{"arn": "..."}')


class Topic(Arn):
    arn: TopicArn = Field(description="an ARN such as arn:aws:sns:eu-central-1:123456789012:on-call")


class AdoptTopic(AdoptArn):
    adopt: Topic = Field(description='{"arn": "..."}')


class OidcProvider(Arn):
    arn: OidcProviderArn = Field(
        description="an ARN such as arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    )


class AdoptOidcProvider(AdoptArn):
    adopt: OidcProvider = Field(description='{"arn": "..."}')


class Vpc(Settings):
    """A VPC that exists. Without private subnets the tasks get public addresses, behind a security group that lets
    only the load balancer in."""

    vpc_id: VpcId = Field(description="an id such as vpc-0123456789abcdef0")
    availability_zones: Items[Zone] = Field(
        min_length=2, description="a list of at least two, each an availability zone such as eu-central-1a"
    )
    public_subnet_ids: Items[SubnetId] = Field(
        default=(),
        description="a list with one in each zone or none at all, each an id such as subnet-0123456789abcdef0",
    )
    private_subnet_ids: Items[SubnetId] = Field(
        default=(),
        description="a list with one in each zone or none at all, each an id such as subnet-0123456789abcdef0",
    )


class AdoptVpc(Settings):
    adopt: Vpc = Field(description='{"vpc_id": "...", "availability_zones": [...], "public_subnet_ids": [...]}')


class Listener(Settings):
    """A listener of a load balancer that exists. Our two rules for ``hosts`` stand at ``priority`` and the next one."""

    listener_arn: ListenerArn = Field(
        description="an ARN such as "
        "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/0123456789abcdef/0123456789abcdef"
    )
    security_group_id: SecurityGroupId = Field(description="the balancer's, an id such as sg-0123456789abcdef0")
    dns_name: DomainName = Field(description="the balancer's own DNS name, in lower case")
    hosted_zone_id: HostedZoneId | None = Field(
        default=None, description="the balancer's, an id such as Z215JYRZR1TBD5; a DNS record needs it"
    )
    protocol: Literal["http", "https"] = Field(default="http", description="http or https, as the listener speaks")
    priority: int = Field(
        ge=1, le=49_999, description="a whole number from 1 to 49999: no other rule has it or the next one"
    )
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
    hosts: Items[HostPattern] = Field(
        default=(),
        max_length=3,
        description="a list of at most three, each a host such as api.example.com or *.example.com",
    )


class AdoptListener(Settings):
    adopt: Listener = Field(
        description='{"listener_arn": "...", "security_group_id": "...", "dns_name": "...", "priority": 100}'
    )
