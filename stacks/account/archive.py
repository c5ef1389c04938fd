"""An image that was built before and lies there as an archive: putting it into its repository."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

from stacks.account.connection import Account
from stacks.account.image import Image, find_tool, is_pushed, run, sign_in
from stacks.assembly import ROOT
from stacks.errors import CommandError

_LOAD = {
    "docker": ("load", "--quiet", "--input", "{}"),
    "podman": ("load", "--quiet", "--input", "{}"),
    "buildah": ("pull", "--quiet", "docker-archive:{}"),
}
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class Archive(NamedTuple):
    """What ``make image`` writes for one target: the image under its ``name``, whose ``id`` is that of its content."""

    path: Path
    name: str
    id: str
    platform: str


def find_archive(target: str, commit: str, folder: Path = ROOT / "dist") -> Archive:
    """The archive of that target of the Dockerfile. Raises CommandError if there is none, or one of another commit."""
    path = folder / f"{target}.tar"
    if not path.exists():
        raise CommandError(f"there is no {path}: run `make image`")
    (manifest,) = _read(path, "manifest.json")
    configuration = _read(path, manifest["Config"])
    (name,) = manifest["RepoTags"]
    if name.rpartition(":")[2].removesuffix(f"-{target}") != commit:
        raise CommandError(f"{path} holds {name}, and the commit is {commit}: run `make image` on a clean work tree")
    digest = Path(manifest["Config"]).name.removesuffix(".json")
    platform = f"{configuration['os']}/{configuration['architecture']}"
    return Archive(path, name, f"sha256:{digest}", platform)


def push(account: Account, image: Image, archive: Archive) -> bool:
    """Puts the archive's image into its repository, unless the tag is there; whether it did.

    Raises CommandError, also if the image is for another processor than that of the tasks.
    """
    if archive.platform != image.platform:
        raise CommandError(f"{archive.path} is for {archive.platform}, and {image} must be for {image.platform}")
    if is_pushed(account, image):
        return False
    tool = find_tool()
    run([tool, *(word.format(archive.path) for word in _LOAD[tool])])
    run([tool, "tag", archive.name, str(image)])
    sign_in(tool, account, image)
    run([tool, "push", str(image)])
    return True


def find_digest(account: Account, image: Image, archive: Archive) -> str | None:
    """The digest of the tag's manifest, or None if what it names is not to the bit what the archive holds.

    Raises UnreadError.
    """
    answer = account.ask(
        "ecr",
        "batch_get_image",
        repositoryName=image.repository,
        imageIds=[{"imageTag": image.tag}],
        acceptedMediaTypes=list(_MANIFESTS),
    )
    for found in answer["images"]:
        if json.loads(found["imageManifest"]).get("config", {}).get("digest") == archive.id:
            return str(found["imageId"]["imageDigest"])
    return None


def _read(path: Path, name: str) -> Any:
    try:
        with tarfile.open(path) as archive:
            return json.load(archive.extractfile(name) or io.BytesIO())
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise CommandError(f"{path} holds no image: {error}") from error
