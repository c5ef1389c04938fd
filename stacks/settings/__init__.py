"""The settings of one environment: read from the app's context, checked before a construct exists, never changed."""

from __future__ import annotations

from stacks.settings._adopted import AdoptArn, AdoptListener, AdoptName, AdoptVpc, Listener, Vpc
from stacks.settings._context import read_environment, read_image_tag
from stacks.settings._environment import Environment
from stacks.settings._faults import SettingsError
from stacks.settings._parts import (
    Cognito,
    CognitoAuthentication,
    Delivery,
    Deployment,
    Dns,
    Fargate,
    Firewall,
    Function,
    HealthCheck,
    Jwt,
    JwtAuthentication,
    LoadBalancer,
    Model,
    Network,
    Operations,
    Scaling,
    Schedule,
    Service,
    Storage,
)

PORT = 8000
"""Where the container listens; the target group, its security group and the task's health check follow it."""

__all__ = [
    "PORT",
    "AdoptArn",
    "AdoptListener",
    "AdoptName",
    "AdoptVpc",
    "Cognito",
    "CognitoAuthentication",
    "Delivery",
    "Deployment",
    "Dns",
    "Environment",
    "Fargate",
    "Firewall",
    "Function",
    "HealthCheck",
    "Jwt",
    "JwtAuthentication",
    "Listener",
    "LoadBalancer",
    "Model",
    "Network",
    "Operations",
    "Scaling",
    "Schedule",
    "Service",
    "SettingsError",
    "Storage",
    "Vpc",
    "read_environment",
    "read_image_tag",
]
