"""A test tool: an image as one file, as ``docker save`` writes it, of which only the description is there."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from service.bundle import sha256
from stacks.account.connection import Account
from stacks.account.image import Image


def write_archive(path: Path, name: str, *, architecture: str = "amd64") -> str:
    """Writes an image of that name for Linux without a layer; its id."""
    configuration = json.dumps({"os": "linux", "architecture": architecture, "config": {}}).encode()
    digest = sha256(configuration)
    manifest = json.dumps([{"Config": f"{digest}.json", "RepoTags": [name], "Layers": []}]).encode()
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for member, content in (("manifest.json", manifest), (f"{digest}.json", configuration)):
            header = tarfile.TarInfo(member)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return f"sha256:{digest}"


def put_manifest(account: Account, image: Image, image_id: str) -> str:
    """Puts a manifest under the tag whose image has that id, as a push does; the manifest's digest."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": image_id}
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
    answer: Any = account.ask(
        "ecr",
        "put_image",
        repositoryName=image.repository,
        imageManifest=json.dumps(manifest),
        imageManifestMediaType=kind,
        imageTag=image.tag,
    )
    return str(answer["image"]["imageId"]["imageDigest"])
