"""What outlives every release: the image repository, the model bucket, the log archive and the service's log group."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.settings import Environment


class StorageStack(cdk.Stack):
    """Names, not constructs, are what the other stacks take: no reference ties them to this one.

    ``repository_name``, ``model_bucket_name``, ``log_bucket_name`` and ``log_group_name`` are the names of what is
    owned here or adopted; they may hold ``AWS::AccountId`` and ``AWS::Region``, which resolve in any stack.
    """

    repository_name: str
    model_bucket_name: str
    log_bucket_name: str
    log_group_name: str

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "Storage", stack_name=environment.named("storage"))
