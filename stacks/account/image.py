"""The image of a commit: whether the repository has it, and building and pushing it where it has not."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple, Protocol

from stacks.account.connection import Account
from stacks.assembly import ROOT
from stacks.errors import CommandError

_URI = re.compile(r"^(?P<registry>[^/]+)/(?P<repository>.+):(?P<tag>[^:/]+)$")
_MISSING = ("RepositoryNotFoundException", "ImageNotFoundException")
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_TOOLS = ("docker", "podman", "buildah")
"""Those that build and push under the same three verbs, in the order in which they are looked for."""


class Image(NamedTuple):
    """``registry/repository:tag``, for a ``platform`` such as ``linux/arm64``, from a ``target`` of the Dockerfile."""

    registry: str
    repository: str
    tag: str
    platform: str
    target: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


class Builder(Protocol):
    """Makes the image of the work tree's commit and puts it into its repository; raises CommandError."""

    def __call__(self, account: Account, image: Image, commit: str) -> None: ...


def parse_image(uri: str, *, architecture: str, target: str) -> Image:
    """``architecture`` is as ECS and Lambda write it, in any case: x86_64 or arm64. Raises CommandError."""
    found = _URI.match(uri)
    if found is None:
        raise CommandError(f"{uri!r} is no image in a registry with a tag")
    platform = "linux/arm64" if architecture.lower() == "arm64" else "linux/amd64"
    return Image(found["registry"], found["repository"], found["tag"], platform, target)


def is_pushed(account: Account, image: Image) -> bool:
    """Whether the repository has the tag. Raises UnreadError."""
    answer = account.ask(
        "ecr", "describe_images", _MISSING, repositoryName=image.repository, imageIds=[{"imageTag": image.tag}]
    )
    return bool(answer and answer["imageDetails"])


def platforms(account: Account, image: Image) -> list[str]:
    """What the image runs on, such as ``linux/arm64``; nothing where its manifest, of one image alone, does not say.

    Raises UnreadError.
    """
    answer = account.ask(
        "ecr",
        "batch_get_image",
        _MISSING,
        repositoryName=image.repository,
        imageIds=[{"imageTag": image.tag}],
        acceptedMediaTypes=list(_INDEXES),
    )
    manifests = json.loads(answer["images"][0]["imageManifest"]).get("manifests", ()) if answer["images"] else ()
    found = [f"{entry['platform']['os']}/{entry['platform']['architecture']}" for entry in manifests]
    return [platform for platform in found if platform != "unknown/unknown"]  # which attestations have


def head_commit(root: Path = ROOT) -> str:
    """The Git SHA of the work tree's commit, which is the image's tag. Raises CommandError."""
    return _git(root, "rev-parse", "HEAD")


def uncommitted(root: Path = ROOT) -> list[str]:
    """The paths in which the work tree differs from its commit. Raises CommandError."""
    return [line.split(maxsplit=1)[1] for line in _git(root, "status", "--porcelain").splitlines()]


def build_and_push(account: Account, image: Image, commit: str, root: Path = ROOT) -> None:
    """Builds by the first of docker, podman and buildah that works here, and pushes with a token that only the tool's
    standard input sees. The same commit gives the same layers: their times are the commit's.

    Raises CommandError if none works, or if the work tree is not the commit that the tag names.
    """
    if changed := uncommitted(root):
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise CommandError(
            f"the image is named by its commit, and the work tree differs from it in {changed[0]}{more}: commit first"
        )
    tool = find_tool()
    made_at = _git(root, "log", "-1", "--format=%ct")
    times = ["--build-arg", f"SOURCE_DATE_EPOCH={made_at}"] if tool == "docker" else ["--timestamp", made_at]
    source = ["--platform", image.platform, "--file", "docker/Dockerfile", "--target", image.target]
    run([tool, "build", *source, *times, "--build-arg", f"REVISION={commit}", "--tag", str(image), "."], root)
    sign_in(tool, account, image)
    run([tool, "push", str(image)])


def find_tool() -> str:
    """The first tool that is there and works: a docker without its daemon does not. Raises CommandError."""
    for tool in _TOOLS:
        path = shutil.which(tool)
        if path and subprocess.run([path, "info"], capture_output=True, check=False).returncode == 0:  # noqa: S603 - of the list above
            return tool
    raise CommandError(f"the image must be brought, and none of {', '.join(_TOOLS)} works here")


def sign_in(tool: str, account: Account, image: Image) -> None:
    """Signs the tool in to the image's registry, with a token that only its standard input sees."""
    data = account.ask("ecr", "get_authorization_token")["authorizationData"][0]
    token = base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]
    run([tool, "login", "--username", "AWS", "--password-stdin", image.registry], said=token)


def run(command: list[str], root: Path = ROOT, *, said: str = "") -> None:
    """Runs a tool on the work tree; all that it writes goes to standard error. Raises CommandError if it fails."""
    done = subprocess.run(command, cwd=root, input=said, stdout=2, text=True, check=False)  # noqa: S603 - built of our own words
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command[:2])} failed with status {done.returncode}: see above")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603, S607 - the developer's own Git
    if done.returncode != 0:
        raise CommandError("the commit is not known: this must run in a clone of the repository, with git")
    return done.stdout.strip()
