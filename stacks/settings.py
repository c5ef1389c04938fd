"""The settings of one environment: read from the app's context, checked before a construct exists, never changed."""

from __future__ import annotations

from typing import Annotated, Literal

from constructs import Node
from pydantic import BaseModel, ConfigDict, Field

PORT = 8000
"""Where the container listens; the target group, its security group and the task's health check follow it."""


class SettingsError(ValueError):
    """The operator's context is wrong; the message is one line that says what to change."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Text = Annotated[str, Field(min_length=1)]
Days = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]


# --- what is adopted rather than owned -------------------------------------------------------------------------------
# A shared resource is "own" (ours, made here) or {"adopt": {...}} (somebody else's, by plain identifiers).


class Name(_Model):
    name: Text


class Arn(_Model):
    arn: Text


class AdoptName(_Model):
    adopt: Name


class AdoptArn(_Model):
    adopt: Arn


class Vpc(_Model):
    """A VPC that exists. Without private subnets the tasks get public addresses, behind a security group that lets
    only the load balancer in."""

    vpc_id: Text
    availability_zones: tuple[Text, ...]
    public_subnet_ids: tuple[Text, ...] = ()
    private_subnet_ids: tuple[Text, ...] = ()


class AdoptVpc(_Model):
    adopt: Vpc


class Listener(_Model):
    """A listener of a load balancer that exists; our rule stands at ``priority`` and takes requests for ``hosts``."""

    listener_arn: Text
    security_group_id: Text
    dns_name: Text
    hosted_zone_id: Text | None = None  # of the balancer, needed for a DNS record only
    priority: int
    hosts: tuple[Text, ...] = ()


class AdoptListener(_Model):
    adopt: Listener


# --- the parts of an environment -------------------------------------------------------------------------------------


class Model(_Model):
    """Which model is served: ``s3://<model bucket>/<prefix>/<name>@<alias>``, or ``/<version>`` when pinned."""

    name: Text
    alias: Text | None = None
    version: Text | None = None
    prefix: str = "models"


class Storage(_Model):
    repository: Literal["own"] | AdoptName = "own"
    model_bucket: Literal["own"] | AdoptName = "own"
    log_bucket: Literal["own"] | AdoptName = "own"
    log_group: Literal["own"] | AdoptName = "own"
    log_retention_days: Days = 30
    archive_days: int = 365


class Network(_Model):
    vpc: Literal["own"] | AdoptVpc = "own"
    cidr: Text = "10.64.0.0/16"
    availability_zones: int = 2
    egress: Literal["nat", "endpoints", "none"] = "nat"
    nat_gateways: int = 1
    flow_log_retention_days: Days = 30


class Fargate(_Model):
    cluster: Literal["own"] | AdoptName = "own"
    cpu: int = 512
    memory_mib: int = 1024
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    spot_percent: int = 0
    stop_timeout_seconds: int = 60


class Function(_Model):
    """The Lambda function, where ``compute`` is ``lambda``."""

    memory_mib: int = 1769
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    provisioned_concurrency: int = 0
    reserved_concurrency: int | None = None


class Service(_Model):
    """What the service itself is told, one ``ALPHARD_*`` variable for each field of the same name."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    max_body_bytes: int = 8 * 1024 * 1024
    max_rows: int = 10_000
    poll_seconds: float = 30
    load_deadline_seconds: float = 120
    metrics_flush_seconds: float = 60
    keep_alive_seconds: int = 75
    drain_hold_seconds: float = 15
    graceful_timeout_seconds: int = 20
    request_deadline_seconds: float = 15


class HealthCheck(_Model):
    interval_seconds: int = 5
    timeout_seconds: int = 4
    healthy_count: int = 2
    unhealthy_count: int = 2


class Jwt(_Model):
    issuer: Text
    jwks_url: Text


class Cognito(_Model):
    user_pool_arn: Text
    client_id: Text
    domain: Text


class JwtAuthentication(_Model):
    jwt: Jwt


class CognitoAuthentication(_Model):
    cognito: Cognito


class LoadBalancer(_Model):
    listener: Literal["own"] | AdoptListener = "own"
    scheme: Literal["internet-facing", "internal"] = "internet-facing"
    allowed_cidrs: tuple[Text, ...] = ("0.0.0.0/0",)
    certificate: Literal["own"] | AdoptArn | None = None
    idle_timeout_seconds: int = 60
    deregistration_delay_seconds: int = 30
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = "least_outstanding_requests"
    health_check: HealthCheck = HealthCheck()
    authentication: JwtAuthentication | CognitoAuthentication | None = None


class Dns(_Model):
    zone_id: Text
    zone_name: Text
    record: Text


class Firewall(_Model):
    """AWS WAF: managed rules, and a bound on the requests of one address in five minutes."""

    rate_limit: int = 10_000


class Deployment(_Model):
    """How a new release takes over. Percent and minutes are of canary and linear, the bake of all but rolling."""

    strategy: Literal["rolling", "canary", "linear", "blue_green"] = "rolling"
    step_percent: int = 10
    step_minutes: int = 2
    bake_minutes: int = 10


class Schedule(_Model):
    """From the moment of ``cron`` (five fields, in ``time_zone``) these bounds hold, until another schedule's."""

    name: Text
    cron: Text
    time_zone: Text = "Etc/UTC"
    minimum_tasks: int
    maximum_tasks: int


class Scaling(_Model):
    minimum_tasks: int = 1
    maximum_tasks: int = 4
    requests_per_task_per_minute: int = 60_000
    cpu_percent: int = 60
    schedules: tuple[Schedule, ...] = ()


class Operations(_Model):
    topic: Literal["own"] | AdoptArn = "own"
    alert_emails: tuple[Text, ...] = ()
    availability_percent: float = 99.9
    latency_percent: float = 99.0
    latency_milliseconds: int = 250


class Delivery(_Model):
    """The GitHub repository whose workflows may push images and deploy, under its old and its new form of ``sub``."""

    repository: Text  # owner/name
    owner_id: int | None = None
    repository_id: int | None = None
    github_environment: Text
    oidc_provider: Literal["own"] | AdoptArn = "own"


class Environment(_Model):
    """One environment, as ``cdk.json`` describes it under ``context.environments.<name>``."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
    production: bool = False
    account: str | None = None
    region: str | None = None
    compute: Literal["fargate", "lambda"] = "fargate"
    model: Model
    storage: Storage = Storage()
    network: Network = Network()
    fargate: Fargate = Fargate()
    function: Function = Function()
    service: Service = Service()
    load_balancer: LoadBalancer = LoadBalancer()
    dns: Dns | None = None
    firewall: Firewall | None = None
    deployment: Deployment = Deployment()
    scaling: Scaling = Scaling()
    operations: Operations = Operations()
    delivery: Delivery | None = None

    def named(self, what: str) -> str:
        """The name of one of the environment's resources, such as ``alphard-dev-service``."""
        return f"alphard-{self.name}-{what}"


def read_environment(node: Node) -> Environment:
    """The environment that the context's ``env`` names, ``dev`` by default, out of the context's ``environments``.

    Raises SettingsError, one line: which key, what it was, what is allowed.
    """
    name = node.try_get_context("env") or "dev"
    return Environment(name=name, **node.try_get_context("environments")[name])


def read_image_tag(node: Node) -> str | None:
    """The Git SHA in the context's ``image_tag``, or None without one. Raises SettingsError for anything else."""
    tag: str | None = node.try_get_context("image_tag")
    return tag
