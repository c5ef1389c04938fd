"""What answers: the balancer, and behind it tasks on Fargate or a function on Lambda."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.network import NetworkStack
from stacks.settings import AdoptName, Environment
from stacks.storage import StorageStack


class ServingStack(cdk.Stack):
    """Names, not constructs, are what the other stacks take.

    ``cluster_name`` and ``service_name`` are of the tasks, ``function_name`` of the function; which of them exist,
    ``compute`` says. What only a deployment knows stands in parameters, whose names are ``load_balancer_parameter``
    (``app/name/id``, as CloudWatch's dimension has it) and ``target_group_parameters`` (``targetgroup/name/id``; two
    where a deployment shifts traffic, else one). ``/alphard/<environment>/serving/url`` is for those outside.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        image_tag: str | None,
        storage: StorageStack,
        network: NetworkStack,
    ) -> None:
        super().__init__(
            scope,
            "Serving",
            stack_name=environment.named("serving"),
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        path = f"/alphard/{environment.name}/serving"
        cluster = environment.fargate.cluster
        self.cluster_name = cluster.adopt.name if isinstance(cluster, AdoptName) else environment.named("cluster")
        self.service_name = environment.named("service")
        self.function_name = environment.named("function")
        shifts = environment.compute == "fargate" and environment.deployment.strategy != "rolling"
        self.load_balancer_parameter = f"{path}/load-balancer"
        self.target_group_parameters = [
            f"{path}/target-group",
            *([f"{path}/target-group-alternate"] if shifts else []),
        ]
