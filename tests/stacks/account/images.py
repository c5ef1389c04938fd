"""A test tool: images in the account's registry, of which only the index is there."""

from __future__ import annotations

import json

from stacks.account.connection import Account
from stacks.account.image import Image


def put_image(account: Account, image: Image) -> None:
    """Puts an index under the image's tag that has one image, for its platform."""
    system, architecture = image.platform.split("/")
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:" + "0" * 64,
        "size": 1,
        "platform": {"os": system, "architecture": architecture},
    }
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
    account.ask(
        "ecr",
        "put_image",
        repositoryName=image.repository,
        imageManifest=json.dumps(index),
        imageTag=image.tag,
    )
