from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.contest import NOOP
from benchmarks.load import ask
from benchmarks.measure import ONE_ROW, Form, Runner
from benchmarks.servers import free_port, python, started
from benchmarks.tails import run_tails
from tests.benchmarks.answering import ONE
from tests.benchmarks.finding import tails


def test_a_disturbed_turn_does_not_count_unless_all_were() -> None:
    alphard, _, _, ray = tails()
    assert (alphard.p50, alphard.p99) == pytest.approx((0.6, 1.5))
    assert ray.p99 == 24


def test_who_can_do_more_is_measured_at_its_own_rate_and_at_the_common_one(tmp_path: Path) -> None:
    port = free_port()
    command = python("-m", "uvicorn", "benchmarks.contestants.noop:app", "--port", str(port), "--log-level", "critical")
    with started(command, {}, ONE, log=tmp_path / "log", port=port) as server:
        runner = Runner(NOOP, server, {ONE_ROW.rows: ([ONE], [ask(server.address, ONE)])})
        found = run_tails([runner], Form(1, 0.02), {"noop": 4000.0, "alphard": 3000.0, "plain": 2000.0})
    assert [tail.rate for tail in found] == [1000, 2000]
    for tail in found:
        assert 1 <= len(tail.turns) <= 4
        assert all(0 < turn.p50 <= turn.p99 for turn in tail.turns)
