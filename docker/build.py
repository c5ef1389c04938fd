"""Builds one target of the Dockerfile into an archive, by Docker where it runs, else by buildah."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from prepare import SEALED_AT

ROOT = Path(__file__).parent.parent
_MADE_OF = ("service", "docker", ".dockerignore")


class Commit(NamedTuple):
    """What is built: the commit, with ``-dirty`` behind it if the files differ, and its time in seconds since 1970."""

    revision: str
    made_at: int


def read_commit() -> Commit:
    revision, made_at = _git("log", "-1", "--format=%H %ct").split()
    changed = _git("status", "--porcelain", "--", *_MADE_OF)
    return Commit(revision + ("-dirty" if changed else ""), int(made_at))


def find_builder() -> str:
    """``docker`` or ``buildah``; ends the process with what to install if there is neither."""
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0
    ):
        return "docker"
    missing = [tool for tool in ("buildah", "bwrap") if shutil.which(tool) is None]
    if missing:
        raise SystemExit(
            f"No Docker daemon answers, and there is no {' and no '.join(missing)} to do without one: "
            "start Docker, or apt-get install buildah bubblewrap"
        )
    return "buildah"


def build(builder: str, target: str, commit: Commit, arguments: Mapping[str, str], archive: Path) -> str:
    """Builds a target from the checkout and nothing cached, and writes it to the archive; its tag.

    Docker keeps the image, too. Of buildah, which here copies all files for every step, nothing is left but the base.
    """
    tag = f"alphard:{commit.revision}" + ("" if target == "serve" else f"-{target}")
    options = ["--no-cache", "--file", "docker/Dockerfile", "--target", target]
    for key, value in {**arguments, "REVISION": commit.revision}.items():
        options += ["--build-arg", f"{key}={value}"]
    archive.unlink(missing_ok=True)
    if builder == "docker":
        _run("docker", "build", "--build-arg", f"SOURCE_DATE_EPOCH={commit.made_at}", "--tag", tag, *options, ".")
        _run("docker", "save", "--output", str(archive), tag)
    else:
        _build_by_buildah(options, tag, archive)
    return tag


def _build_by_buildah(options: Sequence[str], tag: str, archive: Path) -> None:
    before = _nameless_images()
    try:
        # A layer for each step that changes files, as Docker has it. It gives every file the one time that they have
        # already, so that what a commit leaves as it was is the same layer.
        built = _run("buildah", "build", "--quiet", "--layers", "--timestamp", str(SEALED_AT), *options, ".").strip()
        _run("buildah", "push", "--quiet", built, f"docker-archive:{archive}:{tag}")
    finally:
        if made := _nameless_images() - before:
            _run("buildah", "rmi", "--force", *sorted(made))


def _nameless_images() -> set[str]:
    """The ids of buildah's images without a name: of the end of this build, and of each step to it."""
    listing = _run("buildah", "images", "--all", "--no-trunc", "--noheading", "--format", "{{.ID}} {{.Name}}")
    return {line.split()[0] for line in listing.splitlines() if line.endswith(" <none>")}


def _run(*command: str) -> str:
    # Without Docker's own attestations, which tell the time: of them one image would become a list of two.
    docker = {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    environment = {"STORAGE_DRIVER": "vfs", **os.environ, **docker, "BUILDAH_ISOLATION": "chroot"}
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
