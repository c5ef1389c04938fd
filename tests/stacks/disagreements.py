"""Settings of an environment that do not go together, what is said of them, and how they do."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.stacks.wrong_settings import COGNITO, EVERYTHING

MODEL = {"name": "churn", "alias": "production"}
ON_FARGATE = {"model": MODEL}
ON_LAMBDA = {
    "model": MODEL,
    "compute": "lambda",
    "network": {"egress": "none"},
    "service": {"max_body_bytes": 1_000_000},
}
IN_PRODUCTION = {
    "model": MODEL,
    "production": True,
    "load_balancer": {"scheme": "internal"},
    "scaling": {"minimum_tasks": 2},
}
ADOPTED_VPC = {"vpc_id": "vpc-00000001", "availability_zones": ["eu-central-1a", "eu-central-1b"]}
TWO_SUBNETS = ["subnet-00000001", "subnet-00000002"]
IN_A_VPC = {
    "model": MODEL,
    "network": {"vpc": {"adopt": {**ADOPTED_VPC, "public_subnet_ids": TWO_SUBNETS}}},
}
ON_A_LISTENER = {
    "model": MODEL,
    "load_balancer": {"listener": EVERYTHING["load_balancer"]["listener"]},
}
WITH_DNS = {"model": MODEL, "dns": EVERYTHING["dns"], "load_balancer": {"certificate": "own"}}
SCHEDULES: Any = EVERYTHING["scaling"]["schedules"]


class Case(NamedTuple):
    """Settings that are right, what makes them wrong, the beginning of the line, and what makes them right again."""

    settings: Any
    wrong: dict[str, Any]
    line: str
    right: dict[str, Any]


CASES = {
    # a model
    "a model without alias or version": Case(
        ON_FARGATE,
        {"model": {"name": "churn"}},
        'model: expected either an alias or a version, got {"name": "churn"}',
        {"model": {"name": "churn", "version": "7"}},
    ),
    "a model with an alias and a version": Case(
        ON_FARGATE,
        {"model.version": "7"},
        "model: expected either an alias or a version, got",
        {"model.alias": None},
    ),
    # a place
    "an account without a region": Case(
        ON_FARGATE,
        {"account": "123456789012"},
        "region: expected a value beside account, got nothing",
        {"region": "eu-central-1"},
    ),
    "a region without an account": Case(
        ON_FARGATE,
        {"region": "eu-central-1"},
        "account: expected a value beside region, got nothing",
        {"account": "123456789012"},
    ),
    # tasks on Fargate
    "the smallest CPU with too much memory": Case(
        ON_FARGATE,
        {"fargate.cpu": 256, "fargate.memory_mib": 3072},
        "fargate.memory_mib: expected 512, 1024, 2048, got 3072: Fargate has no other with fargate.cpu 256",
        {"fargate.memory_mib": 2048},
    ),
    "memory between two steps": Case(
        ON_FARGATE,
        {"fargate.memory_mib": 1536},
        "fargate.memory_mib: expected 1024 to 4096 in steps of 1024, got 1536: Fargate",
        {"fargate.memory_mib": 4096},
    ),
    "a larger CPU with the default memory": Case(
        ON_FARGATE,
        {"fargate.cpu": 1024},
        "fargate.memory_mib: expected 2048 to 8192 in steps of 1024, got 1024, the default: Fargate",
        {"fargate.memory_mib": 8192},
    ),
    "the step of two CPUs": Case(
        ON_FARGATE,
        {"fargate.cpu": 2048, "fargate.memory_mib": 16_384 + 1024},
        "fargate.memory_mib: expected 4096 to 16384 in steps of 1024, got 17408",
        {"fargate.memory_mib": 16_384},
    ),
    "the step of four CPUs": Case(
        ON_FARGATE,
        {"fargate.cpu": 4096, "fargate.memory_mib": 7168},
        "fargate.memory_mib: expected 8192 to 30720 in steps of 1024, got 7168",
        {"fargate.memory_mib": 30_720},
    ),
    "the step of eight CPUs": Case(
        ON_FARGATE,
        {"fargate.cpu": 8192, "fargate.memory_mib": 17_408},
        "fargate.memory_mib: expected 16384 to 61440 in steps of 4096, got 17408",
        {"fargate.memory_mib": 20_480},
    ),
    "the step of sixteen CPUs": Case(
        ON_FARGATE,
        {"fargate.cpu": 16_384, "fargate.memory_mib": 36_864},
        "fargate.memory_mib: expected 32768 to 122880 in steps of 8192, got 36864",
        {"fargate.memory_mib": 122_880},
    ),
    "a setting of the function": Case(
        ON_FARGATE,
        {"function.memory_mib": 1769},
        "function.memory_mib: expected no such key here, got 1769: compute is fargate",
        {"function": {}},
    ),
    # a function on Lambda
    "a setting of the tasks": Case(
        ON_LAMBDA,
        {"fargate.spot_percent": 0},
        "fargate.spot_percent: expected no such key here, got 0: compute is lambda",
        {"fargate": {}},
    ),
    "a number of tasks": Case(
        ON_LAMBDA,
        {"scaling.minimum_tasks": 1},
        "scaling.minimum_tasks: expected no such key here, got 1: compute is lambda",
        {"scaling": {}},
    ),
    "an algorithm for functions": Case(
        ON_LAMBDA,
        {"load_balancer.algorithm": "round_robin"},
        'load_balancer.algorithm: expected no such key here, got "round_robin": compute is lambda',
        {"load_balancer": {}},
    ),
    "a deregistration of functions": Case(
        ON_LAMBDA,
        {"load_balancer.deregistration_delay_seconds": 30},
        "load_balancer.deregistration_delay_seconds: expected no such key here, got 30: compute is lambda",
        {"load_balancer": {}},
    ),
    "a health check of functions": Case(
        ON_LAMBDA,
        {"load_balancer.health_check.healthy_count": 2},
        "load_balancer.health_check.healthy_count: expected no such key here, got 2: compute is lambda",
        {"load_balancer": {}},
    ),
    "a body too long for a function": Case(
        ON_LAMBDA,
        {"service.max_body_bytes": 1_000_001},
        "service.max_body_bytes: expected at most 1000000 where compute is lambda, got 1000001",
        {"service.max_body_bytes": 999},
    ),
    "the default body for a function": Case(
        ON_LAMBDA,
        {"service": {}},
        "service.max_body_bytes: expected at most 1000000 where compute is lambda, got 8388608, the default",
        {"service.max_body_bytes": 1_000_000},
    ),
    "a way out that no function takes": Case(
        ON_LAMBDA,
        {"network": {}},
        'network.egress: expected none where compute is lambda, got "nat", the default',
        {"network.egress": "none"},
    ),
    "endpoints that no function asks": Case(
        ON_LAMBDA,
        {"network.egress": "endpoints"},
        'network.egress: expected none where compute is lambda, got "endpoints"',
        {"network.egress": "none"},
    ),
    "more provisioned than reserved": Case(
        ON_LAMBDA,
        {"function": {"provisioned_concurrency": 6, "reserved_concurrency": 5}},
        "function.provisioned_concurrency: expected at most function.reserved_concurrency (5), got 6",
        {"function.provisioned_concurrency": 5},
    ),
    "a bake of a function": Case(
        ON_LAMBDA,
        {"deployment": {"strategy": "canary", "bake_minutes": 5}},
        "deployment.bake_minutes: expected no such key here, got 5: compute is lambda",
        {"deployment": {"strategy": "canary"}},
    ),
    "no pause between a function's steps": Case(
        ON_LAMBDA,
        {"deployment": {"strategy": "linear", "step_minutes": 0}},
        "deployment.step_minutes: expected at least 1 where compute is lambda, got 0",
        {"deployment.step_minutes": 1},
    ),
    # a deployment
    "steps of a rolling deployment": Case(
        ON_FARGATE,
        {"deployment.step_percent": 10},
        "deployment.step_percent: expected no such key here, got 10: rolling has no steps",
        {"deployment.strategy": "linear"},
    ),
    "pauses of a blue/green deployment": Case(
        ON_FARGATE,
        {"deployment": {"strategy": "blue_green", "step_minutes": 2}},
        "deployment.step_minutes: expected no such key here, got 2: blue_green has no steps",
        {"deployment": {"strategy": "blue_green", "bake_minutes": 2}},
    ),
    "a bake of a rolling deployment": Case(
        ON_FARGATE,
        {"deployment.bake_minutes": 10},
        "deployment.bake_minutes: expected no such key here, got 10: rolling",
        {"deployment.strategy": "canary"},
    ),
    "a canary of all traffic": Case(
        ON_FARGATE,
        {"deployment": {"strategy": "canary", "step_percent": 100}},
        "deployment.step_percent: expected at most 99 with canary, got 100",
        {"deployment.step_percent": 99},
    ),
    "steps smaller than those of ECS": Case(
        ON_FARGATE,
        {"deployment": {"strategy": "linear", "step_percent": 2}},
        "deployment.step_percent: expected at least 3 with linear, got 2",
        {"deployment.strategy": "canary"},
    ),
    "a deployment longer than CloudFormation's patience": Case(
        ON_FARGATE,
        {"deployment": {"strategy": "linear", "step_percent": 30, "step_minutes": 500, "bake_minutes": 481}},
        "deployment.step_minutes: expected so few that 3 of them and the bake take at most 33 hours, got 500",
        {"deployment.bake_minutes": 480},
    ),
    # a number of tasks
    "more tasks at least than at most": Case(
        ON_FARGATE,
        {"scaling.minimum_tasks": 5},
        "scaling.minimum_tasks: expected at most scaling.maximum_tasks (4), got 5",
        {"scaling.minimum_tasks": 4},
    ),
    "more tasks at least than at most by the clock": Case(
        ON_FARGATE,
        {"scaling.schedules": [{**SCHEDULES[0], "minimum_tasks": 5}]},
        "scaling.schedules[0].minimum_tasks: expected at most scaling.schedules[0].maximum_tasks (4), got 5",
        {"scaling.schedules[0].maximum_tasks": 5},
    ),
    "two schedules of one name": Case(
        ON_FARGATE,
        {"scaling.schedules": [SCHEDULES[0], {**SCHEDULES[0], "cron": "0 20 * * *"}]},
        'scaling.schedules[1].name: expected a name of its own, got "day"',
        {"scaling.schedules[1].name": "night"},
    ),
    # timeouts
    "an idle timeout as short as a request": Case(
        ON_FARGATE,
        {"load_balancer.idle_timeout_seconds": 15},
        "load_balancer.idle_timeout_seconds: expected more than service.request_deadline_seconds (15), got 15",
        {"load_balancer.idle_timeout_seconds": 16},
    ),
    "a connection kept no longer than the balancer's": Case(
        ON_FARGATE,
        {"service.keep_alive_seconds": 60},
        "service.keep_alive_seconds: expected more than load_balancer.idle_timeout_seconds (60), got 60",
        {"service.keep_alive_seconds": 61},
    ),
    "the balancer's connection kept longer than the default": Case(
        ON_FARGATE,
        {"load_balancer.idle_timeout_seconds": 75},
        "service.keep_alive_seconds: expected more than load_balancer.idle_timeout_seconds (75), got 75, the default",
        {"load_balancer.idle_timeout_seconds": 74},
    ),
    "a stop that does not await a request": Case(
        ON_FARGATE,
        {"service.graceful_timeout_seconds": 14},
        "service.graceful_timeout_seconds: expected at least service.request_deadline_seconds (15), got 14",
        {"service.graceful_timeout_seconds": 15},
    ),
    "a hold shorter than the balancer's notice": Case(
        ON_FARGATE,
        {"service.drain_hold_seconds": 13.5},
        "service.drain_hold_seconds: expected at least 14, the health check's interval * unhealthy count + timeout, "
        "got 13.5",
        {"service.drain_hold_seconds": 14},
    ),
    "a balancer that notices later": Case(
        ON_FARGATE,
        {"load_balancer.health_check.unhealthy_count": 3},
        "service.drain_hold_seconds: expected at least 19, the health check's interval * unhealthy count + timeout, "
        "got 15, the default",
        {"service.drain_hold_seconds": 19},
    ),
    "a task killed while it drains": Case(
        ON_FARGATE,
        {"fargate.stop_timeout_seconds": 40},
        "fargate.stop_timeout_seconds: expected more than 40, "
        "service.drain_hold_seconds + service.graceful_timeout_seconds + 5, got 40",
        {"fargate.stop_timeout_seconds": 41},
    ),
    "a deregistration shorter than a request": Case(
        ON_FARGATE,
        {"load_balancer.deregistration_delay_seconds": 14},
        "load_balancer.deregistration_delay_seconds: expected at least service.request_deadline_seconds (15), got 14",
        {"load_balancer.deregistration_delay_seconds": 15},
    ),
    "a deregistration longer than Spot's notice": Case(
        ON_FARGATE,
        {"fargate.spot_percent": 1, "load_balancer.deregistration_delay_seconds": 120},
        "load_balancer.deregistration_delay_seconds: expected less than 120 with fargate.spot_percent 1, got 120",
        {"fargate.spot_percent": 0},
    ),
    "a health check that outlasts its interval": Case(
        ON_FARGATE,
        {"load_balancer.health_check.timeout_seconds": 5, "service.drain_hold_seconds": 15},
        "load_balancer.health_check.timeout_seconds: expected less than load_balancer.health_check.interval_seconds (5)"
        ", got 5",
        {"load_balancer.health_check.timeout_seconds": 4},
    ),
    "an objective that cannot be missed": Case(
        ON_FARGATE,
        {"operations.latency_milliseconds": 15_000},
        "operations.latency_milliseconds: expected less than service.request_deadline_seconds (15), got 15000",
        {"operations.latency_milliseconds": 14_999},
    ),
    # an own VPC
    "tasks without a way out": Case(
        ON_FARGATE,
        {"network.egress": "none"},
        'network.egress: expected nat or endpoints where compute is fargate, got "none"',
        {"network.egress": "endpoints"},
    ),
    "NAT gateways beside endpoints": Case(
        ON_FARGATE,
        {"network": {"egress": "endpoints", "nat_gateways": 1}},
        "network.nat_gateways: expected no such key here, got 1: network.egress is endpoints",
        {"network.egress": "nat"},
    ),
    "more NAT gateways than zones": Case(
        ON_FARGATE,
        {"network.nat_gateways": 3},
        "network.nat_gateways: expected at most network.availability_zones (2), got 3",
        {"network.availability_zones": 3},
    ),
    "a range that is public": Case(
        ON_FARGATE,
        {"network.cidr": "11.0.0.0/16"},
        "network.cidr: expected a range from /16 to /24 within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, got "
        '"11.0.0.0/16"',
        {"network.cidr": "172.31.0.0/16"},
    ),
    "a range too large": Case(
        ON_FARGATE,
        {"network.cidr": "10.0.0.0/15"},
        "network.cidr: expected a range from /16 to /24 within",
        {"network.cidr": "192.168.0.0/16"},
    ),
    "a range too small": Case(
        ON_FARGATE,
        {"network.cidr": "10.0.0.0/25"},
        "network.cidr: expected a range from /16 to /24 within",
        {"network.cidr": "10.0.0.0/24"},
    ),
    "a range too small for its tasks": Case(
        ON_FARGATE,
        {"network.cidr": "10.0.0.0/24", "scaling.maximum_tasks": 17},
        "network.cidr: expected a larger range: 32 addresses are left for tasks, and 34 are needed, got",
        {"scaling.maximum_tasks": 16},
    ),
    "a range too small for its tasks by the clock": Case(
        ON_FARGATE,
        {"network.cidr": "10.0.0.0/24", "scaling.schedules": [{**SCHEDULES[0], "maximum_tasks": 17}]},
        "network.cidr: expected a larger range: 32 addresses are left for tasks, and 34 are needed, got",
        {"network.availability_zones": 3},
    ),
    # an adopted VPC
    "a range of another's VPC": Case(
        IN_A_VPC,
        {"network.cidr": "10.0.0.0/16"},
        'network.cidr: expected no such key here, got "10.0.0.0/16": an adopted VPC is its owner\'s',
        {"network.vpc": "own"},
    ),
    "a way out of another's VPC": Case(
        IN_A_VPC,
        {"network.egress": "nat"},
        'network.egress: expected no such key here, got "nat": an adopted VPC is its owner\'s',
        {"network.vpc": "own"},
    ),
    "public subnets of some zones": Case(
        IN_A_VPC,
        {"network.vpc.adopt.public_subnet_ids": TWO_SUBNETS[:1]},
        'network.vpc.adopt.public_subnet_ids: expected 2 ids or none, got ["subnet-00000001"]',
        {"network.vpc.adopt.public_subnet_ids": TWO_SUBNETS},
    ),
    "private subnets of more zones": Case(
        IN_A_VPC,
        {"network.vpc.adopt.private_subnet_ids": [*TWO_SUBNETS, "subnet-00000003"]},
        "network.vpc.adopt.private_subnet_ids: expected 2 ids or none, got",
        {"network.vpc.adopt.private_subnet_ids": TWO_SUBNETS},
    ),
    "no subnets": Case(
        IN_A_VPC,
        {"network.vpc.adopt": ADOPTED_VPC},
        "network.vpc.adopt: expected public_subnet_ids or private_subnet_ids, got",
        {"network.vpc.adopt.public_subnet_ids": TWO_SUBNETS},
    ),
    "a public balancer without a public subnet": Case(
        IN_A_VPC,
        {"network.vpc.adopt": {**ADOPTED_VPC, "private_subnet_ids": TWO_SUBNETS}},
        'load_balancer.scheme: expected internal, got "internet-facing", the default',
        {"load_balancer.scheme": "internal"},
    ),
    # an adopted listener
    **{
        f"{key} of another's balancer": Case(
            ON_A_LISTENER,
            {key: value},
            f"{key}: expected no such key here, got {json.dumps(value)[:20]}",
            {"load_balancer": {}} if key != "firewall" else {"load_balancer": {"certificate": None, "listener": "own"}},
        )
        for key, value in {
            "load_balancer.scheme": "internal",
            "load_balancer.allowed_cidrs": ["10.0.0.0/8"],
            "load_balancer.certificate": EVERYTHING["load_balancer"]["certificate"],
            "load_balancer.authentication": EVERYTHING["load_balancer"]["authentication"],
            "firewall": {},
        }.items()
    },
    "a record of a balancer whose zone is unknown": Case(
        ON_A_LISTENER,
        {"dns": EVERYTHING["dns"]},
        "load_balancer.listener.adopt.hosted_zone_id: expected an id with dns, got nothing",
        {"load_balancer.listener.adopt.hosted_zone_id": "Z215JYRZR1TBD5"},
    ),
    # names, certificates, tokens
    "a certificate for no name": Case(
        WITH_DNS,
        {"dns": None},
        'load_balancer.certificate: expected "own" only with dns, got "own"',
        {"load_balancer.certificate": None},
    ),
    "a record of another zone": Case(
        WITH_DNS,
        {"dns.record": "predict.another-example.com"},
        'dns.record: expected a name in dns.zone_name (example.com), got "predict.another-example.com"',
        {"dns.record": "example.com"},
    ),
    "a name too long for a certificate": Case(
        WITH_DNS,
        {"dns.record": "a" * 53 + ".example.com"},
        "dns.record: expected at most 64 characters, got",
        {"load_balancer.certificate": None},
    ),
    "tokens in plain text": Case(
        ON_FARGATE,
        {"load_balancer.authentication": COGNITO},
        "load_balancer.authentication: expected a load_balancer.certificate beside it, got",
        {"load_balancer.certificate": EVERYTHING["load_balancer"]["certificate"]},
    ),
    "tokens whose issuer is out of reach": Case(
        WITH_DNS,
        {
            "load_balancer.scheme": "internal",
            "load_balancer.authentication": COGNITO,
            "network.egress": "endpoints",
        },
        "network.egress: expected nat with load_balancer.authentication on an internal balancer, got",
        {"network.egress": "nat"},
    ),
    # production
    "plain text over the internet": Case(
        IN_PRODUCTION,
        {"load_balancer": {}},
        'load_balancer.certificate: expected "own" or {"adopt": {"arn": "..."}} in production, or load_balancer.scheme '
        "internal, got nothing",
        {"load_balancer.certificate": EVERYTHING["load_balancer"]["certificate"]},
    ),
    "a single task": Case(
        IN_PRODUCTION,
        {"scaling": {}},
        "scaling.minimum_tasks: expected at least 2 in production, got 1, the default",
        {"scaling.minimum_tasks": 2},
    ),
    "a single task by the clock": Case(
        IN_PRODUCTION,
        {"scaling.schedules": SCHEDULES},
        "scaling.schedules[0].minimum_tasks: expected at least 2 in production, got 1",
        {"scaling.schedules[0].minimum_tasks": 2},
    ),
    "Spot tasks alone": Case(
        IN_PRODUCTION,
        {"fargate.spot_percent": 100},
        "fargate.spot_percent: expected less than 100 in production, got 100",
        {"fargate.spot_percent": 99},
    ),
    # people
    "e-mails of another's topic": Case(
        ON_FARGATE,
        {"operations": EVERYTHING["operations"]},
        'operations.alert_emails: expected an "own" operations.topic, got ["on-call@example.com"]',
        {"operations.topic": "own"},
    ),
    "an owner's number without the repository's": Case(
        ON_FARGATE,
        {"delivery": {"repository": "a/b", "github_environment": "dev", "owner_id": 1}},
        "delivery.repository_id: expected a number beside delivery.owner_id, got nothing",
        {"delivery.repository_id": 2},
    ),
    "a repository's number without the owner's": Case(
        ON_FARGATE,
        {"delivery": {"repository": "a/b", "github_environment": "dev", "repository_id": 1}},
        "delivery.owner_id: expected a number beside delivery.repository_id, got nothing",
        {"delivery.owner_id": 2},
    ),
}
