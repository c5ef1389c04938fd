"""The environments that the tests synthesize, as plain data: those shipped, and others for further settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.stacks import thuban

ROOT = Path(__file__).parents[2]
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
"""What the CDK's command line reads from cdk.json and hands to the app: the environments shipped, and the flags."""

SHIPPED: dict[str, Any] = CONTEXT["environments"]

_MODEL = {"name": "breast-cancer", "alias": "production"}

THUBAN = {
    "model": _MODEL,
    "storage": {
        "repository": {"adopt": {"name": thuban.REPOSITORY}},
        "log_group": {"adopt": {"name": thuban.LOG_GROUP}},
    },
    "network": {
        "vpc": {
            "adopt": {
                "vpc_id": thuban.VPC_ID,
                "availability_zones": list(thuban.AVAILABILITY_ZONES),
                "public_subnet_ids": list(thuban.PUBLIC_SUBNET_IDS),
            }
        }
    },
    "fargate": {"cluster": {"adopt": {"name": thuban.CLUSTER}}},
    "load_balancer": {
        "listener": {
            "adopt": {
                "listener_arn": thuban.LISTENER_ARN,
                "security_group_id": thuban.SECURITY_GROUP_ID,
                "dns_name": thuban.DNS_NAME,
                "priority": 100,
                "hosts": ["alphard.example.com"],
            }
        }
    },
    "delivery": {
        "repository": "constellation/alphard",
        "github_environment": "thuban",
        "oidc_provider": {"adopt": {"arn": thuban.OIDC_PROVIDER_ARN}},
    },
}

PUBLIC = {
    "production": True,
    "model": {"name": "churn", "version": "0998166edd88", "prefix": "team/models"},
    "network": {"availability_zones": 3, "egress": "endpoints"},
    "fargate": {"cpu": 1024, "memory_mib": 2048, "architecture": "arm64"},
    "load_balancer": {
        "certificate": "own",
        "authentication": {
            "jwt": {"issuer": "https://login.example.com", "jwks_url": "https://login.example.com/jwks.json"}
        },
    },
    "dns": {"zone_id": "Z0123456789ABCDEFGHIJ", "zone_name": "example.com", "record": "predict.example.com"},
    "firewall": {"rate_limit": 2_000},
    "deployment": {"strategy": "blue_green", "bake_minutes": 15},
    "scaling": {
        "minimum_tasks": 3,
        "maximum_tasks": 24,
        "schedules": [
            {
                "name": "day",
                "cron": "0 7 * * *",
                "time_zone": "Europe/Berlin",
                "minimum_tasks": 6,
                "maximum_tasks": 24,
            },
            {
                "name": "night",
                "cron": "0 20 * * *",
                "time_zone": "Europe/Berlin",
                "minimum_tasks": 3,
                "maximum_tasks": 12,
            },
        ],
    },
    "operations": {"alert_emails": ["on-call@example.com"]},
    "delivery": {
        "repository": "constellation/alphard",
        "owner_id": 1234567,
        "repository_id": 987654321,
        "github_environment": "public",
    },
}

SERVERLESS = {
    "model": _MODEL,
    "compute": "lambda",
    "network": {"egress": "none"},
    "service": {"max_body_bytes": 1_000_000},
    "function": {"architecture": "arm64", "provisioned_concurrency": 2, "reserved_concurrency": 50},
    "operations": {"alert_emails": ["on-call@example.com"]},
}

COGNITO = {
    "model": _MODEL,
    "load_balancer": {
        "certificate": {
            "adopt": {
                "arn": "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
            }
        },
        "authentication": {
            "cognito": {
                "user_pool_arn": "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI",
                "client_id": "1example23456789",
                "domain": "constellation-alphard",
            }
        },
    },
    "deployment": {"strategy": "linear", "step_percent": 20, "step_minutes": 5},
}

ENVIRONMENTS: dict[str, Any] = {
    **SHIPPED,
    "thuban": THUBAN,
    "public": PUBLIC,
    "serverless": SERVERLESS,
    "cognito": COGNITO,
}
