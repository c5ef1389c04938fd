"""The CDK app: context to settings to stacks, nothing else."""

from __future__ import annotations

import sys

import aws_cdk as cdk

from stacks.delivery import DeliveryStack
from stacks.network import NetworkStack
from stacks.operations import OperationsStack
from stacks.serving import ServingStack
from stacks.settings import SettingsError, read_environment, read_image_tag
from stacks.storage import StorageStack


def build(app: cdk.App) -> None:
    """Adds the stacks of the environment that the context names.

    Raises SettingsError, with one line, if the environment or the image tag is wrong.
    """
    environment, image_tag = read_environment(app.node), read_image_tag(app.node)
    storage = StorageStack(app, environment)
    network = NetworkStack(app, environment)
    serving = ServingStack(app, environment, image_tag=image_tag, storage=storage, network=network)
    OperationsStack(app, environment, storage=storage, serving=serving)
    if environment.delivery is not None:
        DeliveryStack(app, environment, environment.delivery, storage=storage)


if __name__ == "__main__":
    app = cdk.App(analytics_reporting=False)
    try:
        build(app)
    except SettingsError as error:
        sys.exit(str(error))
    app.synth()
