"""Puts HAProxy into the environment, as ``.venv/bin/haproxy``, and installs nothing on the machine.

It is the machine's own, or else what apt's sources hold: unpacked beside the environment with the libraries that the
machine lacks. That takes no privilege, and no package lists, which a fresh machine does not have.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NEEDED = (2, 4)
# Where Debian keeps it, and what is built from source; only root looks there for programs.
SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin"]
WRAPPER = """#!/bin/sh
LD_LIBRARY_PATH={libraries} exec {program} "$@"
"""


def provide(target: Path) -> None:
    """Makes the target a link to HAProxy; exits with a line that says what to do where that is not possible."""
    program = _installed(target.parent) or _unpacked(target.parent.parent / "haproxy")
    found = _version(program)
    if found < NEEDED:
        raise SystemExit(f"Install HAProxy 2.4 or newer: {program} is {found[0]}.{found[1]}")
    target.unlink(missing_ok=True)
    target.symlink_to(program)


def _installed(leaving_out: Path) -> Path | None:
    """The machine's own, if it has one."""
    folders = [folder for folder in os.get_exec_path() if Path(folder).resolve() != leaving_out.resolve()]
    found = shutil.which("haproxy", path=os.pathsep.join([*folders, *SYSTEM_FOLDERS]))
    return Path(found).resolve() if found else None


def _unpacked(folder: Path) -> Path:
    """A wrapper of the program, in that folder, which is made anew with all that the packages hold."""
    if not shutil.which("apt-get"):
        raise SystemExit("Install HAProxy 2.4 or newer: it is not on PATH, and there is no apt-get to fetch it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            packages = _downloaded(Path(scratch))
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"Install HAProxy 2.4 or newer: apt-get cannot fetch it\n{error.stderr}") from error
        for package in packages:
            subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    libraries = sorted({str(library.parent) for library in folder.rglob("lib*.so.*")})
    wrapper = folder / "haproxy"
    program = shlex.quote(str(folder / "usr/sbin/haproxy"))
    wrapper.write_text(WRAPPER.format(libraries=shlex.quote(":".join(libraries)), program=program))
    wrapper.chmod(0o755)
    return wrapper


def _downloaded(scratch: Path) -> list[Path]:
    """HAProxy's package and those that it needs and the machine lacks. What is installed already stays as it is."""
    (scratch / "lists/partial").mkdir(parents=True)
    _apt(scratch, "update")
    plan = _apt(scratch, "install", "--simulate", "--no-install-recommends", "haproxy")
    # Of what would be upgraded, the line has the old version in brackets before the new one.
    new = re.findall(r"^Inst (\S+) \((\S+) ", plan, re.MULTILINE)
    _apt(scratch, "download", *(f"{name}={version}" for name, version in new))
    return sorted(scratch.glob("*.deb"))


def _apt(scratch: Path, *arguments: str) -> str:
    """Runs apt-get with lists and caches of its own, as whoever asks, and returns what it printed."""
    settings = {"Dir::State::lists": scratch / "lists", "Dir::Cache": scratch, "APT::Sandbox::User": "root"}
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    command = ["apt-get", "--quiet=2", *options, *arguments]
    return subprocess.run(
        command, cwd=scratch, env={**os.environ, "LC_ALL": "C"}, check=True, capture_output=True, text=True
    ).stdout


def _version(program: Path) -> tuple[int, int]:
    """What it says of itself, which proves too that it finds its libraries."""
    said = subprocess.run([program, "-v"], check=True, capture_output=True, text=True).stdout
    numbers = re.search(r"version (\d+)\.(\d+)", said)
    assert numbers, said
    return int(numbers[1]), int(numbers[2])


if __name__ == "__main__":
    provide(Path(sys.argv[1]).absolute())
