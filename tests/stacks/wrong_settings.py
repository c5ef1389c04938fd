"""For every key of an environment what it may not be, and what it may just be; and the keys themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from stacks.settings import Environment
from tests.stacks import thuban

_ARN = "arn:aws:{}:eu-central-1:123456789012:{}"
_NAME = {"adopt": {"name": "alphard-name"}}  # that each of the resources could have

EVERYTHING: dict[str, Any] = {
    "account": "123456789012",
    "region": "eu-central-1",
    "model": {"name": "churn", "alias": "production"},
    "storage": {"repository": _NAME, "model_bucket": _NAME, "log_bucket": _NAME, "log_group": _NAME},
    "network": {
        "vpc": {
            "adopt": {
                "vpc_id": thuban.VPC_ID,
                "availability_zones": list(thuban.AVAILABILITY_ZONES),
                "public_subnet_ids": list(thuban.PUBLIC_SUBNET_IDS),
                "private_subnet_ids": ["subnet-00000001", "subnet-00000002", "subnet-00000003"],
            }
        }
    },
    "fargate": {"cluster": _NAME},
    "load_balancer": {
        "listener": {
            "adopt": {
                "listener_arn": thuban.LISTENER_ARN,
                "security_group_id": thuban.SECURITY_GROUP_ID,
                "dns_name": thuban.DNS_NAME,
                "priority": 100,
                "hosts": ["alphard.example.com"],
            }
        },
        "allowed_cidrs": ["203.0.113.0/24"],
        "certificate": {"adopt": {"arn": _ARN.format("acm", "certificate/12345678-1234-1234-1234-123456789012")}},
        "authentication": {
            "jwt": {"issuer": "https://login.example.com/", "jwks_url": "https://login.example.com/jwks.json"}
        },
    },
    "dns": {"zone_id": "Z0123456789ABCDEFGHIJ", "zone_name": "example.com", "record": "predict.example.com"},
    "scaling": {"schedules": [{"name": "day", "cron": "0 7 * * *", "minimum_tasks": 1, "maximum_tasks": 4}]},
    "operations": {
        "topic": {"adopt": {"arn": _ARN.format("sns", "on-call")}},
        "alert_emails": ["on-call@example.com"],
    },
    "delivery": {
        "repository": "constellation/alphard",
        "github_environment": "dev",
        "oidc_provider": {"adopt": {"arn": thuban.OIDC_PROVIDER_ARN}},
    },
}
"""Every object that there is, each right in itself; together they do not agree."""

COGNITO = {
    "cognito": {
        "user_pool_arn": _ARN.format("cognito-idp", "userpool/eu-central-1_AbCdEfGhI"),
        "client_id": "1example23456789",
        "domain": "constellation-alphard",
    }
}
"""The other form of ``load_balancer.authentication``."""


def fields(model: Any = Environment, path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of an environment by its path, such as ``scaling.schedules[0].cron``, found by walking the models."""
    for name, field in model.model_fields.items():
        if model is Environment and name == "name":  # what the environment stands under
            continue
        yield path + name, field
        for below, item in _models(field.annotation):
            yield from fields(below, f"{path}{name}{item}.")


def _models(annotation: Any, item: str = "") -> Iterator[tuple[Any, str]]:
    """The models within a type, each with what its path has for being an item of a list."""
    if hasattr(annotation, "model_fields"):
        yield annotation, item
    for argument in get_args(annotation):
        yield from _models(argument, "[0]" if get_origin(annotation) is tuple else item)


_TEXT: tuple[Any, ...] = (True, 5, "", [], {})
_WHOLE: tuple[Any, ...] = (True, "5", 2.5, [5], {})
_NUMBER: tuple[Any, ...] = (True, "5", [], {})
_OBJECT: tuple[Any, ...] = (True, 5, "x", [])
_LIST: tuple[Any, ...] = (True, 5, "x", {})
_OWN_OR_ADOPT: tuple[Any, ...] = (True, 5, "", "adopt", [], {})
_MODEL_NAME = (*_TEXT, "-a", ".a", "a/b", "a b", "a@b", "a\n", "ä", "a" * 129)
_DAYS = (*_WHOLE, 0, 2, 31, 3654)
_MOST_TASKS = (*_WHOLE, 0, -1, 1001)
_PERCENT = (*_NUMBER, 0, 94.9, 100, 100.5)
_DOMAIN = (
    *_TEXT,
    "example",
    "Example.com",
    "example..com",
    "-a.com",
    "*.example.com",
    "example.com.",
    "a" * 64 + ".com",
)
_URL = (*_TEXT, "http://login.example.com", "https://", "https://a b.com", "https://login.example.com/?a=b")
_IDS = ("subnet-1234567", "subnet-0123456789ABCDEF0", "vpc-00000001")

WRONG: dict[str, tuple[Any, ...]] = {
    "production": (5, "true", [], {}),
    "account": (*_TEXT, "\uff11" * 12, "12345678901", "1234567890123", "12345678901a"),
    "region": (*_TEXT, "frankfurt", "eu-central", "eu-central-1a", "EU-CENTRAL-1"),
    "compute": (*_TEXT, "Lambda", "ec2"),
    "model": _OBJECT,
    "model.name": _MODEL_NAME,
    "model.alias": _MODEL_NAME,
    "model.version": _MODEL_NAME,
    "model.prefix": (True, 5, [], "/", "/a", "a/", "a//b", "a/../b", "..", ".", "a/.", "a b", "a%2Fb", "a*", "a" * 513),
    "storage": _OBJECT,
    "storage.repository": _OWN_OR_ADOPT,
    "storage.repository.adopt": _OBJECT,
    "storage.repository.adopt.name": (*_TEXT, "a", "Alphard", "team//a", "/a", "a/", "a-", "a" * 257),
    "storage.model_bucket": _OWN_OR_ADOPT,
    "storage.model_bucket.adopt": _OBJECT,
    "storage.model_bucket.adopt.name": (*_TEXT, "ab", "Models", "a..b", "-ab", "ab-", "a_b", "192.168.5.4", "a" * 64),
    "storage.log_bucket": _OWN_OR_ADOPT,
    "storage.log_bucket.adopt": _OBJECT,
    "storage.log_bucket.adopt.name": (*_TEXT, "ab", "s3://logs", "a" * 64),
    "storage.log_group": _OWN_OR_ADOPT,
    "storage.log_group.adopt": _OBJECT,
    "storage.log_group.adopt.name": (*_TEXT, "aws/a", "a b", "a:b", "a" * 513),
    "storage.log_retention_days": _DAYS,
    "storage.archive_days": (*_WHOLE, 0, 36_501),
    "network": _OBJECT,
    "network.vpc": _OWN_OR_ADOPT,
    "network.vpc.adopt": _OBJECT,
    "network.vpc.adopt.vpc_id": (*_TEXT, "vpc-1234567", "subnet-00000001", "vpc-0123456789abcdefg"),
    "network.vpc.adopt.availability_zones": (*_LIST, [], ["eu-central-1a"], ["eu-central-1a"] * 2),
    "network.vpc.adopt.availability_zones[0]": (*_TEXT, "eu-central-1", "a"),
    "network.vpc.adopt.public_subnet_ids": (*_LIST, ["subnet-00000001"] * 2),
    "network.vpc.adopt.public_subnet_ids[0]": (*_TEXT, *_IDS),
    "network.vpc.adopt.private_subnet_ids": (*_LIST, ["subnet-00000001"] * 2),
    "network.vpc.adopt.private_subnet_ids[0]": (*_TEXT, *_IDS),
    "network.cidr": (*_TEXT, "10.64.0.0", "10.64.0.1/16", "10.64.0.0/33", "10.64.0.0/255.255.0.0", "fd00::/56"),
    "network.availability_zones": (*_WHOLE, 1, 4),
    "network.egress": (*_TEXT, "NAT", "igw"),
    "network.nat_gateways": (*_WHOLE, 0, 4),
    "network.flow_log_retention_days": _DAYS,
    "fargate": _OBJECT,
    "fargate.cluster": _OWN_OR_ADOPT,
    "fargate.cluster.adopt": _OBJECT,
    "fargate.cluster.adopt.name": (*_TEXT, "a b", "a/b", "a" * 256),
    "fargate.cpu": (*_WHOLE, 0, 128, 300, 32_768),
    "fargate.memory_mib": (*_WHOLE, 511, 122_881),
    "fargate.architecture": (*_TEXT, "X86_64", "amd64"),
    "fargate.spot_percent": (*_WHOLE, -1, 101),
    "fargate.stop_timeout_seconds": (*_WHOLE, 1, 121),
    "function": _OBJECT,
    "function.memory_mib": (*_WHOLE, 127, 10_241),
    "function.architecture": (*_TEXT, "ARM64"),
    "function.provisioned_concurrency": (*_WHOLE, -1, 1001),
    "function.reserved_concurrency": (*_WHOLE, 0, 1001),
    "service": _OBJECT,
    "service.log_level": (*_TEXT, "info", "TRACE"),
    "service.max_body_bytes": (*_WHOLE, 0, -1),
    "service.max_rows": (*_WHOLE, 0, -1),
    "service.poll_seconds": (*_NUMBER, 0, -0.5),
    "service.load_deadline_seconds": (*_NUMBER, 0, -1),
    "service.metrics_flush_seconds": (*_NUMBER, -1),
    "service.keep_alive_seconds": (*_WHOLE, 0),
    "service.drain_hold_seconds": (*_NUMBER, -1),
    "service.graceful_timeout_seconds": (*_WHOLE, 0),
    "service.request_deadline_seconds": (*_NUMBER, 0, -1),
    "load_balancer": _OBJECT,
    "load_balancer.listener": _OWN_OR_ADOPT,
    "load_balancer.listener.adopt": _OBJECT,
    "load_balancer.listener.adopt.listener_arn": (
        *_TEXT,
        _ARN.format("elasticloadbalancing", "loadbalancer/app/a/0123456789abcdef"),
        _ARN.format("elasticloadbalancing", "listener/net/a/0123456789abcdef/0123456789abcdef"),
    ),
    "load_balancer.listener.adopt.security_group_id": (*_TEXT, "sg-1", "vpc-00000001"),
    "load_balancer.listener.adopt.dns_name": _DOMAIN,
    "load_balancer.listener.adopt.hosted_zone_id": (*_TEXT, "z1", "/hostedzone/Z1", "Z" * 33),
    "load_balancer.listener.adopt.protocol": (*_TEXT, "HTTP", "tls"),
    "load_balancer.listener.adopt.priority": (*_WHOLE, 0, 50_000),
    "load_balancer.listener.adopt.hosts": (*_LIST, ["a.com"] * 2, ["a.com", "b.com", "c.com", "d.com"]),
    "load_balancer.listener.adopt.hosts[0]": (*_TEXT, "localhost", "a_b.com", "10.0.0.1", "a" * 125 + ".com"),
    "load_balancer.scheme": (*_TEXT, "public", "Internal"),
    "load_balancer.allowed_cidrs": (*_LIST, [], ["10.0.0.0/8"] * 2, [f"10.0.{n}.0/24" for n in range(31)]),
    "load_balancer.allowed_cidrs[0]": (*_TEXT, "10.0.0.1", "10.0.0.1/8", "::/0", "office"),
    "load_balancer.certificate": _OWN_OR_ADOPT,
    "load_balancer.certificate.adopt": _OBJECT,
    "load_balancer.certificate.adopt.arn": (*_TEXT, _ARN.format("iam", "server-certificate/a"), "arn:aws:acm"),
    "load_balancer.idle_timeout_seconds": (*_WHOLE, 0, 4001),
    "load_balancer.deregistration_delay_seconds": (*_WHOLE, -1, 3601),
    "load_balancer.algorithm": (*_TEXT, "random"),
    "load_balancer.health_check": _OBJECT,
    "load_balancer.health_check.interval_seconds": (*_WHOLE, 4, 301),
    "load_balancer.health_check.timeout_seconds": (*_WHOLE, 1, 121),
    "load_balancer.health_check.healthy_count": (*_WHOLE, 1, 11),
    "load_balancer.health_check.unhealthy_count": (*_WHOLE, 1, 11),
    "load_balancer.authentication": (*_OBJECT, {}, {"oidc": {}}, {**COGNITO, "jwt": {}}),
    "load_balancer.authentication.jwt": _OBJECT,
    "load_balancer.authentication.jwt.issuer": _URL,
    "load_balancer.authentication.jwt.jwks_url": _URL,
    "load_balancer.authentication.cognito": _OBJECT,
    "load_balancer.authentication.cognito.user_pool_arn": (*_TEXT, _ARN.format("cognito-identity", "userpool/a")),
    "load_balancer.authentication.cognito.client_id": (*_TEXT, "a-b", "a" * 129),
    "load_balancer.authentication.cognito.domain": (*_TEXT, "https://a", "A", "-a"),
    "dns": _OBJECT,
    "dns.zone_id": (*_TEXT, "example.com", "/hostedzone/Z1"),
    "dns.zone_name": _DOMAIN,
    "dns.record": _DOMAIN,
    "firewall": _OBJECT,
    "firewall.rate_limit": (*_WHOLE, 9, 2_000_000_001),
    "deployment": _OBJECT,
    "deployment.strategy": (*_TEXT, "Canary", "blue/green"),
    "deployment.step_percent": (*_WHOLE, 0, 101),
    "deployment.step_minutes": (*_WHOLE, -1, 1441),
    "deployment.bake_minutes": (*_WHOLE, -1, 1441),
    "scaling": _OBJECT,
    "scaling.minimum_tasks": _MOST_TASKS,
    "scaling.maximum_tasks": _MOST_TASKS,
    "scaling.requests_per_task_per_minute": (*_WHOLE, 0),
    "scaling.cpu_percent": (*_WHOLE, 0, 101),
    "scaling.schedules": (*_LIST, EVERYTHING["scaling"]["schedules"] * 2),
    "scaling.schedules[0]": _OBJECT,
    "scaling.schedules[0].name": (*_TEXT, "Day", "-day", "day-", "a b", "a" * 33),
    "scaling.schedules[0].cron": (
        *_TEXT,
        "0 7 * *",
        "0 7 * * * *",
        "0 7 ? * * *",
        "60 7 * * *",
        "0 24 * * *",
        "0 7 0 * *",
        "0 7 * 13 *",
        "0 7 * * 1",
        "0 7 * * mon",
        "0 7 * * FRI-MON",
        "0 7 1 * MON",
        "0 9-7 * * *",
        "0 */0 * * *",
        "0  7 * * *",
        "cron(0 7 * * *)",
    ),
    "scaling.schedules[0].time_zone": (*_TEXT, "Berlin", "Europe/Atlantis", "localtime", "CET", "../UTC"),
    "scaling.schedules[0].minimum_tasks": _MOST_TASKS,
    "scaling.schedules[0].maximum_tasks": _MOST_TASKS,
    "operations": _OBJECT,
    "operations.topic": _OWN_OR_ADOPT,
    "operations.topic.adopt": _OBJECT,
    "operations.topic.adopt.arn": (*_TEXT, _ARN.format("sqs", "on-call"), _ARN.format("sns", "a/b")),
    "operations.alert_emails": (*_LIST, ["a@b.com"] * 2),
    "operations.alert_emails[0]": (*_TEXT, "on-call", "a@b", "a b@c.com", "A <a@b.com>"),
    "operations.availability_percent": _PERCENT,
    "operations.latency_percent": _PERCENT,
    "operations.latency_milliseconds": (*_WHOLE, 0),
    "delivery": _OBJECT,
    "delivery.repository": (*_TEXT, "alphard", "a/b/c", "https://github.com/a/b", "a/..", "-a/b", "a/b c"),
    "delivery.owner_id": (*_WHOLE, 0),
    "delivery.repository_id": (*_WHOLE, 0),
    "delivery.github_environment": (*_TEXT, "a b", "*", "a:b", "a" * 256),
    "delivery.oidc_provider": _OWN_OR_ADOPT,
    "delivery.oidc_provider.adopt": _OBJECT,
    "delivery.oidc_provider.adopt.arn": (*_TEXT, "arn:aws:iam::123456789012:oidc-provider/gitlab.com"),
}
"""What no key may be, by kind and by bound. With null a key is left out: the CDK hands on no such value."""

RIGHT: dict[str, tuple[Any, ...]] = {
    "model.name": ("A", "0.b_c-d", "a" * 128),
    "model.prefix": ("", "models", "team/a.b/v_1-2", "..a/b", "a" * 512),
    "storage.repository.adopt.name": ("ab", "team/sub-team/a.b_c", "a" * 256),
    "storage.model_bucket.adopt.name": ("abc", "a.b-c", "1.2.3.4a", "a" * 63),
    "storage.log_group.adopt.name": ("/ecs/alphard", "a_b.c#d", "a" * 512),
    "storage.log_retention_days": (1, 3653),
    "storage.archive_days": (1, 36_500),
    "region": ("us-gov-west-1", "ap-southeast-2", "eusc-de-east-1"),
    "network.vpc.adopt.vpc_id": ("vpc-00000001",),
    "network.availability_zones": (2, 3),
    "network.nat_gateways": (1, 3),
    "fargate.cpu": (256, 16_384),
    "fargate.memory_mib": (512, 122_880),
    "fargate.spot_percent": (0, 100),
    "fargate.stop_timeout_seconds": (2, 120),
    "function.memory_mib": (128, 10_240),
    "function.provisioned_concurrency": (0, 1000),
    "function.reserved_concurrency": (1, 1000, None),
    "service.max_body_bytes": (1,),
    "service.poll_seconds": (0.1, 1),
    "service.metrics_flush_seconds": (0, 0.5),
    "service.drain_hold_seconds": (0, 0.5),
    "load_balancer.listener.adopt.priority": (1, 49_999),
    "load_balancer.listener.adopt.hosts": ([], ["*.example.com", "a.example.com", "B?.example.com"]),
    "load_balancer.allowed_cidrs": (["0.0.0.0/0"], [f"10.0.{n}.0/24" for n in range(30)]),
    "load_balancer.certificate": (None, "own"),
    "load_balancer.idle_timeout_seconds": (1, 4000),
    "load_balancer.deregistration_delay_seconds": (0, 3600),
    "load_balancer.health_check.interval_seconds": (5, 300),
    "load_balancer.health_check.timeout_seconds": (2, 120),
    "load_balancer.health_check.healthy_count": (2, 10),
    "load_balancer.health_check.unhealthy_count": (2, 10),
    "load_balancer.authentication": (COGNITO, None),
    "load_balancer.authentication.jwt.issuer": ("https://login.example.com:8443/a_b/v2.0/",),
    "firewall": ({}, None),
    "firewall.rate_limit": (10, 2_000_000_000),
    "deployment.step_percent": (1, 100),
    "deployment.step_minutes": (0, 1440),
    "deployment.bake_minutes": (0, 1440),
    "scaling.minimum_tasks": (1, 1000),
    "scaling.cpu_percent": (1, 100),
    "scaling.schedules[0].cron": ("*/5 * * * *", "0,30 7-19/2 * * MON-FRI", "59 23 31 12 *", "0 7 * 1-6 SAT,SUN"),
    "scaling.schedules[0].time_zone": ("UTC", "Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"),
    "operations.availability_percent": (95, 99.999),
    "operations.latency_milliseconds": (1,),
    "delivery.repository": ("a/b", "owner-1/.github", "o/a.b_c-d"),
    "delivery.github_environment": ("prod", "eu.prod_1-a"),
}
"""What a key may just be, by itself."""
