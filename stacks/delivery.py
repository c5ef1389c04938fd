"""The role that a GitHub workflow assumes to push an image and to deploy."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.settings import Delivery, Environment
from stacks.storage import StorageStack


class DeliveryStack(cdk.Stack):
    def __init__(
        self, scope: Construct, environment: Environment, delivery: Delivery, *, storage: StorageStack
    ) -> None:
        super().__init__(scope, "Delivery", stack_name=environment.named("delivery"))
