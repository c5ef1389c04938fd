"""Builds one target of the Dockerfile into an archive, by Docker where it runs, else by buildah."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
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
    """Builds a target from the checkout and nothing cached, and writes it to the archive; its tag."""
    tag = f"alphard:{commit.revision}" + ("" if target == "serve" else f"-{target}")
    command = _docker(commit) if builder == "docker" else _buildah()
    for key, value in {**arguments, "REVISION": commit.revision}.items():
        command += ["--build-arg", f"{key}={value}"]
    environment = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDAH_ISOLATION": "chroot"}
    environment.setdefault("STORAGE_DRIVER", "vfs")
    command += ["--file", "docker/Dockerfile", "--target", target, "--tag", tag, "."]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    archive.unlink(missing_ok=True)
    save = ["docker", "save", "--output", str(archive), tag]
    if builder == "buildah":
        save = ["buildah", "push", "--quiet", tag, f"docker-archive:{archive}:{tag}"]
    subprocess.run(save, env=environment, check=True)
    return tag


def _docker(commit: Commit) -> list[str]:
    return ["docker", "build", "--no-cache", "--build-arg", f"SOURCE_DATE_EPOCH={commit.made_at}"]


def _buildah() -> list[str]:
    # A layer for each step that changes files, as Docker has it; nothing of an earlier build. It gives every file the
    # one time that they have already, so that what a commit leaves as it was is the same layer.
    return ["buildah", "build", "--quiet", "--layers", "--no-cache", "--timestamp", str(SEALED_AT)]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
