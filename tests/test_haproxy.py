"""The HAProxy of the environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests import haproxy


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where an otherwise bare machine has its programs."""
    monkeypatch.setattr(haproxy, "SYSTEM_FOLDERS", [str(tmp_path / "sbin")])
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "venv/bin"), str(tmp_path / "nowhere")]))
    for folder in ("sbin", "venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path / "sbin"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "venv/bin/haproxy"


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_machines_own_is_linked(machine: Path, target: Path) -> None:
    own = program(machine / "haproxy", "echo HAProxy version 2.8.5-1ubuntu3 2024/04/01")
    target.symlink_to(machine / "removed")
    haproxy.provide(target)
    haproxy.provide(target)
    assert target.resolve() == own


def test_an_older_one_is_refused_with_what_to_do(machine: Path, target: Path) -> None:
    program(machine / "haproxy", "echo HA-Proxy version 2.2.9-2+deb11u6 2023/12/14")
    with pytest.raises(SystemExit, match=r"^Install HAProxy 2\.4 or newer: .*/haproxy is 2\.2$"):
        haproxy.provide(target)
    assert not target.exists()


def test_a_machine_without_it_and_without_apt_is_told_what_to_do(machine: Path, target: Path) -> None:
    with pytest.raises(SystemExit, match=r"^Install HAProxy 2\.4 or newer: it is not on PATH, and there is no apt-get"):
        haproxy.provide(target)


def test_what_apt_says_when_it_cannot_fetch_it_is_passed_on(
    machine: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(machine / "apt-get", "echo E: Unable to locate package haproxy >&2; exit 100")
    monkeypatch.setenv("PATH", str(machine))
    with pytest.raises(SystemExit, match=r"^Install HAProxy 2\.4 or newer: .*\nE: Unable to locate package"):
        haproxy.provide(target)


@pytest.mark.slow
def test_a_machine_without_it_gets_it_from_apt_beside_the_environment(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haproxy, "SYSTEM_FOLDERS", [])
    machines = [folder for folder in os.get_exec_path() if not (Path(folder) / "haproxy").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(machines))
    target.parent.mkdir(parents=True)
    haproxy.provide(target)
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text("defaults\n mode http\n timeout client 1s\nfrontend here\n bind 127.0.0.1:80\n")
    subprocess.run([target, "-c", "-f", configuration], check=True, env={})
    assert target.resolve().is_relative_to(tmp_path)
