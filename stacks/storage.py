"""What outlives every release: the image repository, the model bucket, the log archive and the service's log group."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.settings import AdoptName, Environment


class StorageStack(cdk.Stack):
    """Names, not constructs, are what the other stacks take: no reference ties them to this one.

    ``repository_name``, ``model_bucket_name``, ``log_bucket_name`` and ``log_group_name`` are the names of what is
    owned here or adopted; they may hold ``AWS::AccountId`` and ``AWS::Region``, which resolve in any stack.
    A load balancer may write its logs to the log bucket without a prefix: under ``AWSLogs/<account>/``.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(
            scope,
            "Storage",
            stack_name=environment.named("storage"),
            env=cdk.Environment(account=environment.account, region=environment.region),
            termination_protection=environment.production,
        )
        place = f"{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}"
        storage = environment.storage
        self.repository_name = _name(storage.repository, environment.named("service"))
        self.model_bucket_name = _name(storage.model_bucket, environment.named(f"models-{place}"))
        self.log_bucket_name = _name(storage.log_bucket, environment.named(f"logs-{place}"))
        self.log_group_name = _name(storage.log_group, f"/alphard/{environment.name}/service")


def _name(choice: str | AdoptName, own: str) -> str:
    return choice.adopt.name if isinstance(choice, AdoptName) else own
