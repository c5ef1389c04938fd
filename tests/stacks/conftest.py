"""What the tests of the stacks share: each environment, synthesized once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.stacks.environments import ENVIRONMENTS
from tests.stacks.synthesis import Synthesis, synthesize


@pytest.fixture(scope="session")
def synthesized() -> Callable[[str], Synthesis]:
    """Synthesizes an environment of tests/stacks/environments.py by its name, once in a run."""
    return cache(synthesize)


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def synthesis(request: pytest.FixtureRequest, synthesized: Callable[[str], Synthesis]) -> Synthesis:
    """Each environment in turn."""
    return synthesized(request.param)
