from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import machine


def test_a_share_is_so_much_of_each_tenth_of_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CPU_GROUPS", tmp_path)
    with machine.processor_share(0.25) as group:
        assert group is not None
        assert (group.parent / "cpu.cfs_quota_us").read_text() == "25000"
        assert (group.parent / "cpu.cfs_period_us").read_text() == "100000"


def test_where_no_group_can_be_made_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CPU_GROUPS", tmp_path / "missing")
    with machine.processor_share(0.25) as group:
        assert group is None


def test_a_priority_and_cores_are_given_back() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)
    core = min(before[1])
    with machine.going_first() as first, machine.on_cores({core}):
        assert first == (os.getpriority(os.PRIO_PROCESS, 0) == -20)
        assert os.sched_getaffinity(0) == {core}
    assert (os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)) == before


def test_a_core_in_use_is_idle_no_longer_than_the_clock_ran() -> None:
    core = min(os.sched_getaffinity(0))
    with machine.on_cores({core}):
        before = machine.Moment.of(core)
        while (now := machine.Moment.of(core)).clock < before.clock + 0.1:
            pass
    assert 0 <= now.idle - before.idle <= 0.1
    assert now.waited >= before.waited
