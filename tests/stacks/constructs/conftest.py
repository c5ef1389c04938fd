"""What the tests of the constructs share: lines of the service, written once."""

from __future__ import annotations

import pytest

from tests.stacks.service_lines import Line, lived_through


@pytest.fixture(scope="session")
def service_lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    return lived_through(tmp_path_factory.mktemp("service"))
