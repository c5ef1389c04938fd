"""What the tests of the stacks share: each environment, synthesized once."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.stacks.environments import ENVIRONMENTS
from tests.stacks.synthesis import Synthesis, synthesize


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    """Synthesizes an environment of tests/stacks/environments.py by its name, once in a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # whose folder stands in that of the run
        folder = folder.parent
    return cache(lambda name: _shared(folder, name))


def _shared(folder: Path, name: str) -> Synthesis:
    """The environment, by this process or by the one that came first."""
    path = folder / f"{name}.pickle"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_bytes(pickle.dumps(synthesize(name)))
    found: Synthesis = pickle.loads(path.read_bytes())
    return found


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def synthesis(request: pytest.FixtureRequest, synthesized: Callable[[str], Synthesis]) -> Synthesis:
    """Each environment in turn."""
    return synthesized(request.param)
