from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load import ask, closed_loop
from benchmarks.servers import StartError, free_port, python, started
from tests.benchmarks.answering import ONE


def test_a_server_is_started_weighed_and_ended(tmp_path: Path) -> None:
    port = free_port()
    command = python("-m", "uvicorn", "benchmarks.contestants.noop:app", "--port", str(port), "--log-level", "critical")
    with started(command, {}, ONE, log=tmp_path / "log", port=port) as server:
        body = ask(server.address, ONE)
        before = server.processor_seconds()
        assert len(closed_loop([server.address], [ONE], [body], connections=4, count=3000).latencies) == 3000
        assert server.processor_seconds() > before
        assert server.resident_mib() > 5
    assert server.process.returncode is not None
    with pytest.raises(ConnectionRefusedError):
        ask(server.address, ONE)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = python("-c", "raise SystemExit('no such model')")
    with (
        pytest.raises(StartError, match="no such model"),
        started(command, {}, ONE, log=tmp_path / "log", port=free_port()),
    ):
        pass
