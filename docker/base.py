"""``make base``: a base image from Debian's packages, for a machine that reaches no registry of images.

``python base.py IMAGE`` needs root, debootstrap and buildah. The base trusts the certificates that this machine trusts,
and its pip is set up as this machine's is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

_OF_THE_MACHINE = ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf")
# What each debootstrap leaves otherwise, and nobody needs.
_OF_THE_BUILD = ("etc/hostname", "etc/resolv.conf", "var/cache/apt", "var/lib/apt/lists", "var/log")
_MIRROR = "http://deb.debian.org/debian"


def main(image: str) -> None:
    missing = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"There is no {' and no '.join(missing)}: apt-get install buildah debootstrap")
    with TemporaryDirectory(prefix="alphard-base-") as folder:
        root = Path(folder, "root")
        include = "--include=ca-certificates,python3,python3-pip"
        _run("debootstrap", "--variant=minbase", include, "bookworm", str(root), _MIRROR)
        for path in _OF_THE_BUILD:
            _remove(root / path)
        for path in _OF_THE_MACHINE:
            if Path("/", path).exists():
                shutil.copyfile(Path("/", path), root / path)
        _commit(root, image)


def _commit(root: Path, image: str) -> None:
    # As an archive: buildah would leave out what a folder's modes hide from it.
    archive = root.with_suffix(".tar")
    _run("tar", "--create", f"--file={archive}", f"--directory={root}", "--exclude=./dev/*", ".")
    container = _run("buildah", "from", "scratch")
    _run("buildah", "add", "--quiet", container, str(archive), "/")
    _run("buildah", "commit", "--quiet", "--rm", container, image)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _run(*command: str) -> str:
    environment = {"STORAGE_DRIVER": "vfs", **os.environ}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1])
