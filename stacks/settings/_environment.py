"""One environment: its parts, and that they agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from stacks.settings._compute import check_compute
from stacks.settings._disagreement import Disagreement, is_given, value_at
from stacks.settings._fields import Account, EnvironmentName, Region, Settings
from stacks.settings._operation import check_operation
from stacks.settings._parts import (
    Delivery,
    Deployment,
    Dns,
    Fargate,
    Firewall,
    Function,
    LoadBalancer,
    Model,
    Network,
    Operations,
    Scaling,
    Service,
    Storage,
)
from stacks.settings._reach import check_reach
from stacks.settings._timeouts import check_timeouts


class Environment(Settings):
    """One environment, as ``cdk.json`` describes it under ``context.environments.<name>``."""

    name: EnvironmentName = Field(
        description="a name of lower-case letters, digits and '-' that begins with a letter, at most 15"
    )
    production: bool = Field(default=False, description="true or false")
    account: Account | None = Field(default=None, description="an account of 12 digits, in quotes, with a region")
    region: Region | None = Field(default=None, description="a region such as eu-central-1, with an account")
    compute: Literal["fargate", "lambda"] = Field(default="fargate", description="fargate or lambda")
    model: Model = Field(description='an object such as {"name": "churn", "alias": "production"}')
    storage: Storage = Field(default=Storage(), description="an object of storage settings")
    network: Network = Field(default=Network(), description="an object of network settings")
    fargate: Fargate = Field(default=Fargate(), description="an object of settings of tasks on Fargate")
    function: Function = Field(default=Function(), description="an object of settings of a function on Lambda")
    service: Service = Field(default=Service(), description="an object of settings of the service")
    load_balancer: LoadBalancer = Field(default=LoadBalancer(), description="an object of load-balancer settings")
    dns: Dns | None = Field(
        default=None, description='an object such as {"zone_id": "...", "zone_name": "...", "record": "..."}'
    )
    firewall: Firewall | None = Field(default=None, description='an object such as {"rate_limit": 10000}, or {}')
    deployment: Deployment = Field(default=Deployment(), description='an object such as {"strategy": "canary"}')
    scaling: Scaling = Field(
        default=Scaling(), description='an object such as {"minimum_tasks": 2, "maximum_tasks": 4}'
    )
    operations: Operations = Field(default=Operations(), description="an object of settings of operations")
    delivery: Delivery | None = Field(
        default=None, description='an object such as {"repository": "owner/name", "github_environment": "dev"}'
    )

    def named(self, what: str) -> str:
        """The name of one of the environment's resources, such as ``alphard-dev-service``."""
        return f"alphard-{self.name}-{what}"

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for disagreement in _disagreements(self):
            line = _spell(self, disagreement)
            raise PydanticCustomError("disagreement", "{line}", {"line": line})
        return self


def _disagreements(environment: Environment) -> Iterator[Disagreement]:
    for check in (check_operation, check_compute, check_reach, check_timeouts):
        yield from check(environment)


def _spell(environment: Environment, disagreement: Disagreement) -> str:
    key, expected, why = disagreement
    value = value_at(environment, key)
    plain = value.model_dump(mode="json", exclude_unset=True) if isinstance(value, BaseModel) else value
    default = "" if is_given(environment, key) else ", the default"
    got = "nothing" if plain is None else json.dumps(plain, default=list)[:100] + default
    return f"{key}: expected {expected}, got {got}: {why}"
