from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.account.connection import Account
from stacks.account.image import build_and_push, head_commit, is_pushed, parse_image, platforms, uncommitted
from stacks.errors import CommandError
from tests.stacks.account.images import put_image

URI = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/alphard-dev-service:0123abc"
IMAGE = parse_image(URI, architecture="ARM64", target="serve")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with one commit, made at a known time."""
    root = tmp_path / "clone"
    root.mkdir()
    (root / "file").write_text("a")
    when = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "--quiet"], ["add", "file"], [*who, "commit", "--quiet", "--message", "a"]):
        subprocess.run(["git", *command], cwd=root, env={**os.environ, **when}, check=True)
    return root


def test_a_uri_is_taken_apart() -> None:
    assert str(IMAGE) == URI
    assert (IMAGE.repository, IMAGE.tag, IMAGE.platform) == ("team/alphard-dev-service", "0123abc", "linux/arm64")
    assert parse_image(URI, architecture="x86_64", target="lambda").platform == "linux/amd64"


@pytest.mark.parametrize("uri", ["", "alphard", "registry/alphard", "registry:5000/alphard"])
def test_an_image_without_registry_or_tag_is_refused(uri: str) -> None:
    with pytest.raises(CommandError, match="no image in a registry with a tag"):
        parse_image(uri, architecture="arm64", target="serve")


def test_a_tag_is_there_once_it_is_pushed(account: Account) -> None:
    assert not is_pushed(account, IMAGE)
    account.ask("ecr", "create_repository", repositoryName=IMAGE.repository)
    assert not is_pushed(account, IMAGE)
    put_image(account, IMAGE)
    assert is_pushed(account, IMAGE)
    assert platforms(account, IMAGE) == ["linux/arm64"]
    assert not is_pushed(account, IMAGE._replace(tag="0123abd"))


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("docker", "--build-arg SOURCE_DATE_EPOCH=1700000000"),
        ("podman", "--timestamp 1700000000"),
        ("buildah", "--timestamp 1700000000"),
    ],
)
def test_the_tool_that_is_there_builds_signs_in_by_its_standard_input_and_pushes(
    name: str, times: str, tool: Callable[..., Path], clone: Path, account: Account
) -> None:
    record, commit = tool(name), head_commit(clone)
    build_and_push(account, IMAGE, commit, clone)
    built, signed_in, pushed = record.read_text().splitlines()
    assert built.rstrip() == (
        f"{name} build --platform linux/arm64 --file docker/Dockerfile --target serve {times} "
        f"--build-arg REVISION={commit} --tag {URI} ."
    )
    assert signed_in.startswith(f"{name} login --username AWS --password-stdin {IMAGE.registry} ")
    assert signed_in.endswith("-auth-token")  # of the stand-in, read from standard input
    assert pushed.rstrip() == f"{name} push {URI}"


def test_a_docker_whose_daemon_is_away_leaves_it_to_the_next_tool(
    tool: Callable[..., Path], clone: Path, account: Account
) -> None:
    tool("docker", fails="info")
    record = tool("buildah")
    build_and_push(account, IMAGE, head_commit(clone), clone)
    assert {line.split()[0] for line in record.read_text().splitlines()} == {"buildah"}


def test_without_a_tool_the_tools_are_named(tool: Callable[..., Path], clone: Path, account: Account) -> None:
    with pytest.raises(CommandError, match="none of docker, podman, buildah works here"):
        build_and_push(account, IMAGE, head_commit(clone), clone)


@pytest.mark.parametrize("step", ["build", "login", "push"])
def test_a_step_that_fails_is_named_with_its_status(
    step: str, tool: Callable[..., Path], clone: Path, account: Account
) -> None:
    tool("docker", fails=step)
    with pytest.raises(CommandError, match=f"docker {step} failed with status 3"):
        build_and_push(account, IMAGE, head_commit(clone), clone)


def test_a_work_tree_that_differs_from_its_commit_is_not_built(
    tool: Callable[..., Path], clone: Path, account: Account
) -> None:
    record = tool("docker")
    (clone / "file").write_text("b")
    (clone / "more").write_text("c")
    assert uncommitted(clone) == ["file", "more"]
    with pytest.raises(CommandError, match="differs from it in file and 1 more: commit first"):
        build_and_push(account, IMAGE, head_commit(clone), clone)
    assert not record.exists()


def test_outside_a_clone_there_is_no_commit(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="the commit is not known"):
        head_commit(tmp_path)
