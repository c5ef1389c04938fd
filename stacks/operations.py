"""What a person on call looks at: dashboard, alarms, saved queries."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.serving import ServingStack
from stacks.settings import Environment
from stacks.storage import StorageStack


class OperationsStack(cdk.Stack):
    def __init__(
        self, scope: Construct, environment: Environment, *, storage: StorageStack, serving: ServingStack
    ) -> None:
        super().__init__(scope, "Operations", stack_name=environment.named("operations"))
