"""The same commit gives the same bytes wherever it is synthesized, and asks nobody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stacks.environments import CONTEXT, ROOT, SHIPPED
from tests.stacks.synthesis import IMAGE_TAG

# Node.js, in which the CDK runs beneath Python, and Python itself refuse whatever leaves the process.
_NODE_GUARD = """
const refuse = () => { throw new Error("the network is blocked"); };
require("net").Socket.prototype.connect = refuse;
require("dns").lookup = refuse;
"""
_PYTHON_GUARD = """
import runpy, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise RuntimeError("the network is blocked")

sys.addaudithook(refuse)
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def _run(
    script: Path, *, folder: Path, hash_seed: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs the script with the network blocked, in that folder."""
    guard = folder / "guard.cjs"
    guard.write_text(_NODE_GUARD)
    return subprocess.run(
        [sys.executable, "-c", _PYTHON_GUARD, str(script)],
        cwd=folder,
        env={**os.environ, "NODE_OPTIONS": f"--require={guard}", "PYTHONHASHSEED": hash_seed, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _synthesized(app: Path, name: str, *, folder: Path, hash_seed: str) -> dict[str, bytes]:
    """The files that the app writes for the environment, as the CDK's command line runs it.

    Without the metadata that stays on the machine: where in the CDK's code a construct was made, for who looks for a
    fault, with the folder into which jsii unpacked it.
    """
    context = {**CONTEXT, "env": name, "image_tag": IMAGE_TAG}
    out = folder / "cdk.out"
    environment = {"CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(out)}
    done = _run(app, folder=folder, hash_seed=hash_seed, environment=environment)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in out.iterdir() if not path.name.endswith(".metadata.json")}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_commit_gives_the_same_bytes_in_any_folder_and_without_a_network(tmp_path: Path, name: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there" / "deeper"
    here.mkdir()
    shutil.copytree(ROOT / "stacks", there / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", there)
    first = _synthesized(ROOT / "app.py", name, folder=here, hash_seed="1")
    second = _synthesized(there / "app.py", name, folder=there, hash_seed="2")
    assert len([file for file in first if file.endswith(".template.json")]) >= 4
    assert first == second


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "import subprocess; subprocess.run(['node', '-e', 'fetch(`http://192.0.2.1`)'], check=True)",
        "import subprocess; subprocess.run(['node', '-e', 'require(`http`).get(`http://192.0.2.1`)'], check=True)",
    ],
)
def test_an_attempt_to_reach_the_network_would_fail(tmp_path: Path, attempt: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(attempt)
    done = _run(script, folder=tmp_path, hash_seed="0", environment={})
    assert done.returncode != 0
    assert "the network is blocked" in done.stderr
