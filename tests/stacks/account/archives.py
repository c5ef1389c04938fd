"""A test tool: an image as one file, as ``docker save`` writes it, that holds one file."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.bundle import sha256
from stacks.account.connection import Account
from stacks.account.image import Image


def write_archive(path: Path, name: str, *, architecture: str = "amd64") -> str:
    """Writes an image of that name for Linux, with one file in it; its id."""
    layer = _tar({"file": name.encode()})
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{sha256(layer)}"]}
    configuration = json.dumps({"os": "linux", "architecture": architecture, "config": {}, "rootfs": rootfs}).encode()
    digest = sha256(configuration)
    manifest = [{"Config": f"{digest}.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    members = {"manifest.json": json.dumps(manifest).encode(), f"{digest}.json": configuration, "layer.tar": layer}
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_tar(members))
    return f"sha256:{digest}"


def _tar(members: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return written.getvalue()


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
