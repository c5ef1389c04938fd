"""What answers: the balancer, and behind it tasks on Fargate or a function on Lambda."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.network import NetworkStack
from stacks.settings import Environment
from stacks.storage import StorageStack


class ServingStack(cdk.Stack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        image_tag: str | None,
        storage: StorageStack,
        network: NetworkStack,
    ) -> None:
        super().__init__(scope, "Serving", stack_name=environment.named("serving"))
