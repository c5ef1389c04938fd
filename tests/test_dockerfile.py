"""Rules that the Dockerfile keeps, whatever else changes in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TARGETS = ("lambda", "serve")
_LINES = re.sub(r"\\\n\s*", "", (ROOT / "docker/Dockerfile").read_text()).splitlines()
INSTRUCTIONS = [line.split(maxsplit=1) for line in _LINES if line and not line.startswith("#")]


def _said(name: str, stage: str | None = None) -> list[str]:
    """The arguments of an instruction, in one stage and those that it stands on, or everywhere."""
    if stage is None:
        return [arguments for found, arguments in INSTRUCTIONS if found == name]
    start = next(i for i, (found, said) in enumerate(INSTRUCTIONS) if found == "FROM" and said.endswith(f" AS {stage}"))
    below = INSTRUCTIONS[start][1].split()[0]
    inherited = [] if below == "${BASE}" else _said(name, below)
    own = []
    for found, arguments in INSTRUCTIONS[start + 1 :]:
        if found == "FROM":
            break
        own += [arguments] if found == name else []
    return inherited + own


def test_the_linter_is_content() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "docker/Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_stage_stands_on_the_one_base_or_on_another_stage() -> None:
    stages = [said.split(" AS ")[1] for said in _said("FROM")]
    assert {said.split(" AS ")[0] for said in _said("FROM")} <= {"${BASE}", *stages}
    assert set(TARGETS) < set(stages)


def test_the_base_is_named_by_patch_version_and_by_digest() -> None:
    [default] = [said for said in _said("ARG") if said.startswith("BASE=")]
    assert re.fullmatch(r"BASE=docker\.io/library/python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", default)


@pytest.mark.parametrize("target", TARGETS)
def test_it_runs_as_a_user_without_a_name_or_rights(target: str) -> None:
    assert _said("USER", target) == ["10001:10001"]


@pytest.mark.parametrize("target", TARGETS)
def test_commands_are_in_exec_form(target: str) -> None:
    commands = _said("CMD", target) + _said("ENTRYPOINT", target)
    assert commands
    assert all(isinstance(json.loads(command), list) for command in commands)


def test_the_server_is_told_to_stop_by_sigterm_and_may_write_in_tmp_alone() -> None:
    assert _said("STOPSIGNAL", "serve") == ["SIGTERM"]
    assert _said("VOLUME", "serve") == ["/tmp"]  # noqa: S108  # the container's own
    assert _said("EXPOSE", "serve") == ["8000"]


def test_nothing_is_fetched_but_wheels_by_their_hash() -> None:
    assert not _said("ADD")
    for command in _said("RUN"):
        assert not re.search(r"\b(apt|apt-get|curl|git|wget)\b|://", command)
        for installing in re.findall(r"pip .*?install .*?(?=&&|$)", command):
            assert {"--require-hashes", "--only-binary", "--no-deps"} <= set(installing.split())


def test_nothing_secret_is_asked_for() -> None:
    said = " ".join(" ".join(instruction) for instruction in INSTRUCTIONS)
    assert not re.search(r"secret|password|token|credential|AWS_", said, re.IGNORECASE)
    assert {line.partition("=")[0] for line in _said("ARG")} == {"BASE", "REVISION", "WITH_SKLEARN"}


def test_final_stages_run_nothing() -> None:
    """So that what they hold is what was copied, and none of it was made at another time."""
    assert not any(_said("RUN", target) for target in TARGETS)


def test_the_builder_sees_only_what_the_image_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert kept == {said for copy in _said("COPY") if "--from" not in copy for said in copy.split()[:-1]}
