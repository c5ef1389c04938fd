"""The parts of an environment, one model each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from stacks.settings._adopted import (
    AdoptBucket,
    AdoptCertificate,
    AdoptCluster,
    AdoptListener,
    AdoptLogGroup,
    AdoptOidcProvider,
    AdoptRepository,
    AdoptTopic,
    AdoptVpc,
)
from stacks.settings._fields import (
    Cidr,
    Cron,
    Days,
    DomainName,
    Email,
    GitHubEnvironment,
    GitHubRepository,
    HostedZoneId,
    HttpsUrl,
    Items,
    ModelName,
    OwnOr,
    Prefix,
    ScheduleName,
    Settings,
    TimeZone,
    UserPoolArn,
    UserPoolDomain,
    one_of,
)

_OWN_OR_NAME = '"own" or {"adopt": {"name": "..."}}'
_OWN_OR_ARN = '"own" or {"adopt": {"arn": "..."}}'
_DAYS = "a retention that CloudWatch Logs has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 days and more"


class Model(Settings):
    """Which model is served: ``s3://<model bucket>/<prefix>/<name>@<alias>``, or ``/<version>`` when pinned."""

    name: ModelName = Field(description="a model's name: letters, digits, '.', '_' and '-', at most 128, no sign first")
    alias: ModelName | None = Field(default=None, description="an alias such as production, unless a version is given")
    version: ModelName | None = Field(default=None, description="a version to pin, unless an alias is given")
    prefix: Prefix = Field(
        default="models", description="folders of the bucket such as team/models, without a slash at either end"
    )


class Storage(Settings):
    repository: OwnOr[AdoptRepository] = Field(default="own", description=_OWN_OR_NAME)
    model_bucket: OwnOr[AdoptBucket] = Field(default="own", description=_OWN_OR_NAME)
    log_bucket: OwnOr[AdoptBucket] = Field(default="own", description=_OWN_OR_NAME)
    log_group: OwnOr[AdoptLogGroup] = Field(default="own", description=_OWN_OR_NAME)
    log_retention_days: Days = Field(default=30, description=_DAYS)
    archive_days: int = Field(default=365, ge=1, le=36_500, description="a whole number of days from 1 to 36500")


class Network(Settings):
    vpc: OwnOr[AdoptVpc] = Field(
        default="own", description='"own" or {"adopt": {"vpc_id": "...", "availability_zones": [...], ...}}'
    )
    cidr: Cidr = Field(default="10.64.0.0/16", description="a private IPv4 range from /16 to /24 such as 10.64.0.0/16")
    availability_zones: int = Field(default=2, ge=2, le=3, description="2 or 3")
    egress: Literal["nat", "endpoints", "none"] = Field(
        default="nat", description="nat or endpoints for tasks on Fargate, none for a function on Lambda"
    )
    nat_gateways: int = Field(default=1, ge=1, le=3, description="a whole number from 1 to one in each zone")
    flow_log_retention_days: Days = Field(default=30, description=_DAYS)


class Fargate(Settings):
    cluster: OwnOr[AdoptCluster] = Field(default="own", description=_OWN_OR_NAME)
    cpu: Annotated[int, one_of(256, 512, 1024, 2048, 4096, 8192, 16384)] = Field(
        default=512, description="one of 256, 512, 1024, 2048, 4096, 8192, 16384 (1024 are a vCPU)"
    )
    memory_mib: int = Field(
        default=1024,
        ge=512,
        le=122_880,
        description="a whole number of MiB from 512 to 122880 that Fargate has with that CPU",
    )
    architecture: Literal["x86_64", "arm64"] = Field(default="x86_64", description="x86_64 or arm64")
    spot_percent: int = Field(default=0, ge=0, le=100, description="a percentage from 0 to 100")
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html: at most 120 on Fargate.
    stop_timeout_seconds: int = Field(default=60, ge=2, le=120, description="a whole number of seconds from 2 to 120")


class Function(Settings):
    """The Lambda function, where ``compute`` is ``lambda``."""

    memory_mib: int = Field(default=1769, ge=128, le=10_240, description="a whole number of MiB from 128 to 10240")
    architecture: Literal["x86_64", "arm64"] = Field(default="x86_64", description="x86_64 or arm64")
    provisioned_concurrency: int = Field(
        default=0, ge=0, le=1000, description="a whole number from 0 to 1000, at most the reserved concurrency"
    )
    reserved_concurrency: int | None = Field(
        default=None, ge=1, le=1000, description="a whole number from 1 to 1000, or left out for what the account has"
    )


class Service(Settings):
    """What the service itself is told, one ``ALPHARD_*`` variable for each field of the same name."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="one of DEBUG, INFO, WARNING, ERROR"
    )
    max_body_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1, description="a whole number of bytes, at least 1 (on Lambda at most 1000000)"
    )
    max_rows: int = Field(default=10_000, ge=1, description="a whole number of rows, at least 1")
    poll_seconds: float = Field(default=30, gt=0, description="a number of seconds over 0")
    load_deadline_seconds: float = Field(default=120, gt=0, description="a number of seconds over 0")
    metrics_flush_seconds: float = Field(default=60, ge=0, description="a number of seconds, or 0 for never")
    keep_alive_seconds: int = Field(
        default=75, ge=1, description="a whole number of seconds, more than the balancer's idle timeout"
    )
    drain_hold_seconds: float = Field(
        default=15, ge=0, description="a number of seconds in which the balancer finds the target unready"
    )
    graceful_timeout_seconds: int = Field(
        default=20, ge=1, description="a whole number of seconds, at least the request deadline"
    )
    request_deadline_seconds: float = Field(
        default=15, gt=0, description="a number of seconds over 0, less than the balancer's idle timeout"
    )


# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
class HealthCheck(Settings):
    interval_seconds: int = Field(default=5, ge=5, le=300, description="a whole number of seconds from 5 to 300")
    timeout_seconds: int = Field(
        default=4, ge=2, le=120, description="a whole number of seconds from 2 to 120, less than the interval"
    )
    healthy_count: int = Field(default=2, ge=2, le=10, description="a whole number from 2 to 10")
    unhealthy_count: int = Field(default=2, ge=2, le=10, description="a whole number from 2 to 10")


class Jwt(Settings):
    issuer: HttpsUrl = Field(description="a URL with https, as it stands in the tokens")
    jwks_url: HttpsUrl = Field(description="a URL with https, of the issuer's keys")


class Cognito(Settings):
    user_pool_arn: UserPoolArn = Field(
        description="an ARN such as arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI"
    )
    client_id: str = Field(pattern=r"^[A-Za-z0-9_+]{1,128}$", description="the id of one of the user pool's clients")
    domain: UserPoolDomain = Field(description="the user pool's domain: its prefix, or all of a custom one")


class JwtAuthentication(Settings):
    jwt: Jwt = Field(description='{"issuer": "...", "jwks_url": "..."}')


class CognitoAuthentication(Settings):
    cognito: Cognito = Field(description='{"user_pool_arn": "...", "client_id": "...", "domain": "..."}')


def _jwt_or_cognito(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return f"<{'jwt' if isinstance(value, JwtAuthentication) else 'cognito'}>"
    keys = list(value) if isinstance(value, dict) else []
    return f"<{keys[0]}>" if keys in (["jwt"], ["cognito"]) else None


Authentication = Annotated[
    Annotated[JwtAuthentication, Tag("<jwt>")] | Annotated[CognitoAuthentication, Tag("<cognito>")],
    Discriminator(_jwt_or_cognito),
]


class LoadBalancer(Settings):
    listener: OwnOr[AdoptListener] = Field(
        default="own",
        description='"own" or {"adopt": {"listener_arn": "...", "security_group_id": "...", "dns_name": "...", ...}}',
    )
    scheme: Literal["internet-facing", "internal"] = Field(
        default="internet-facing", description="internet-facing or internal"
    )
    # A security group has 60 rules at most, and each range takes two: for HTTPS, and for HTTP that redirects to it.
    allowed_cidrs: Items[Cidr] = Field(
        default=("0.0.0.0/0",),
        min_length=1,
        max_length=30,
        description="a list of 1 to 30, each an IPv4 range such as 203.0.113.0/24",
    )
    certificate: OwnOr[AdoptCertificate] | None = Field(default=None, description=_OWN_OR_ARN)
    idle_timeout_seconds: int = Field(
        default=60,
        ge=1,
        le=4000,
        description="a whole number of seconds from 1 to 4000; with an adopted listener what its balancer has",
    )
    deregistration_delay_seconds: int = Field(
        default=30, ge=0, le=3600, description="a whole number of seconds from the request deadline to 3600"
    )
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = Field(
        default="least_outstanding_requests",
        description="one of round_robin, least_outstanding_requests, weighted_random",
    )
    health_check: HealthCheck = Field(default=HealthCheck(), description="an object of health-check settings")
    authentication: Authentication | None = Field(default=None, description='{"jwt": {...}} or {"cognito": {...}}')


class Dns(Settings):
    zone_id: HostedZoneId = Field(description="a hosted zone's id such as Z0123456789ABCDEFGHIJ")
    zone_name: DomainName = Field(description="the hosted zone's name in lower case, such as example.com")
    record: DomainName = Field(description="a name in the zone in lower case, such as predict.example.com")


class Firewall(Settings):
    """AWS WAF: managed rules, and a bound on the requests of one address in five minutes."""

    # https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
    rate_limit: int = Field(
        default=10_000, ge=10, le=2_000_000_000, description="a whole number of requests from 10 to 2000000000"
    )


class Deployment(Settings):
    """How a new release takes over. Percent and minutes are of canary and linear, the bake of all but rolling."""

    strategy: Literal["rolling", "canary", "linear", "blue_green"] = Field(
        default="rolling", description="one of rolling, canary, linear, blue_green"
    )
    step_percent: int = Field(
        default=10, ge=1, le=100, description="a percentage, of canary from 1 to 99, of linear from 3 to 100"
    )
    step_minutes: int = Field(default=2, ge=0, le=1440, description="a whole number of minutes from 0 to 1440")
    bake_minutes: int = Field(default=10, ge=0, le=1440, description="a whole number of minutes from 0 to 1440")


_MOST_TASKS = 1000
"""As many targets as a target group may have:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""


class Schedule(Settings):
    """From the moment of ``cron`` (five fields, in ``time_zone``) these bounds hold, until another schedule's."""

    name: ScheduleName = Field(description="a name of lower-case letters, digits and '-', at most 32")
    cron: Cron = Field(
        description="minute, hour, day of the month, month and day of the week such as '0 7 * * MON-FRI'"
    )
    time_zone: TimeZone = Field(default="Etc/UTC", description="an IANA time zone such as Europe/Berlin")
    minimum_tasks: int = Field(ge=1, le=_MOST_TASKS, description="a whole number from 1 to 1000, at most the maximum")
    maximum_tasks: int = Field(ge=1, le=_MOST_TASKS, description="a whole number from 1 to 1000")


class Scaling(Settings):
    minimum_tasks: int = Field(
        default=1, ge=1, le=_MOST_TASKS, description="a whole number from 1 to 1000, at most the maximum"
    )
    maximum_tasks: int = Field(default=4, ge=1, le=_MOST_TASKS, description="a whole number from 1 to 1000")
    requests_per_task_per_minute: int = Field(default=60_000, ge=1, description="a whole number, at least 1")
    cpu_percent: int = Field(default=60, ge=1, le=100, description="a percentage from 1 to 100")
    schedules: Items[Schedule] = Field(
        default=(), description='a list, each {"name": "...", "cron": "...", "minimum_tasks": 1, "maximum_tasks": 4}'
    )

    def bounds(self) -> dict[str, tuple[int, int]]:
        """The least and the most tasks, by the key of the object where they stand."""
        scheduled = {f"scaling.schedules[{index}]": schedule for index, schedule in enumerate(self.schedules)}
        return {
            "scaling": (self.minimum_tasks, self.maximum_tasks),
            **{key: (schedule.minimum_tasks, schedule.maximum_tasks) for key, schedule in scheduled.items()},
        }


_OBJECTIVE = "a percentage from 95 to 99.999: for less the alarm at 14.4 times the error budget could never fire"


class Operations(Settings):
    topic: OwnOr[AdoptTopic] = Field(default="own", description=_OWN_OR_ARN)
    alert_emails: Items[Email] = Field(default=(), description="a list, each an e-mail address")
    availability_percent: float = Field(default=99.9, ge=95, le=99.999, description=_OBJECTIVE)
    latency_percent: float = Field(default=99.0, ge=95, le=99.999, description=_OBJECTIVE)
    latency_milliseconds: int = Field(
        default=250, ge=1, description="a whole number of milliseconds, less than the request deadline"
    )


class Delivery(Settings):
    """The GitHub repository whose workflows may push images and deploy, under its old and its new form of ``sub``."""

    repository: GitHubRepository = Field(description="owner/name")
    owner_id: int | None = Field(default=None, ge=1, description="GitHub's number of the owner, with repository_id")
    repository_id: int | None = Field(
        default=None, ge=1, description="GitHub's number of the repository, with owner_id"
    )
    github_environment: GitHubEnvironment = Field(
        description="the name of the jobs' GitHub environment: letters, digits, '.', '_' and '-'"
    )
    oidc_provider: OwnOr[AdoptOidcProvider] = Field(default="own", description=_OWN_OR_ARN)
