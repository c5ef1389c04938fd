from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.processor import processor_share

ALLOWED = 64


@pytest.fixture(autouse=True)
def many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with more processors than any limit here."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(ALLOWED)))


class Host:
    """Files as the kernel shows them, in a folder."""

    def __init__(self, root: Path, group: str, *mounts: str) -> None:
        self.root = root
        self.write("proc/self/cgroup", group)
        self.write("proc/self/mountinfo", "\n".join(("22 1 0:20 / / rw - overlay overlay rw", *mounts)))

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    @property
    def share(self) -> int:
        return processor_share(self.root)


V2 = "31 22 0:27 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate"


@pytest.mark.parametrize(
    ("limit", "share"),
    [
        ("25000 100000", 1),
        ("100000 100000", 1),
        ("100001 100000", 2),
        ("400000 100000", 4),
        ("max 100000", ALLOWED),
        ("", ALLOWED),
        ("1000 0", ALLOWED),
    ],
)
def test_the_containers_own_limit_is_rounded_up(tmp_path: Path, limit: str, share: int) -> None:
    host = Host(tmp_path, "0::/", V2)
    host.write("sys/fs/cgroup/cpu.max", limit)
    assert host.share == share


@pytest.mark.parametrize(("container", "task", "share"), [("max", "200000", 2), ("100000", "200000", 1)])
def test_the_lowest_limit_on_the_way_to_the_top_counts(tmp_path: Path, container: str, task: str, share: int) -> None:
    host = Host(tmp_path, "0::/ecs/task/container", V2)
    host.write("sys/fs/cgroup/ecs/task/container/cpu.max", f"{container} 100000")
    host.write("sys/fs/cgroup/ecs/task/cpu.max", f"{task} 100000")
    host.write("sys/fs/cgroup/other/cpu.max", "1000 100000")
    assert host.share == share


def test_a_group_named_as_from_outside_is_the_one_that_is_mounted(tmp_path: Path) -> None:
    host = Host(tmp_path, "0::/../../ecs/task", V2)
    host.write("sys/fs/cgroup/cpu.max", "300000 100000")
    assert host.share == 3


@pytest.mark.parametrize(("quota", "share"), [(50_000, 1), (150_000, 2), (-1, ALLOWED)])
def test_version_1_is_read_from_where_its_part_is_mounted(tmp_path: Path, quota: int, share: int) -> None:
    host = Host(
        tmp_path,
        "8:memory:/ecs/task/c\n4:cpu,cpuacct:/ecs/task/c\n1:name=systemd:/ecs/task/c\n0::/ecs/task/c",
        "32 31 0:29 /ecs/task/c /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
        "33 31 0:30 /ecs/task/c /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct",
    )
    host.write("sys/fs/cgroup/memory/cpu.cfs_quota_us", "1000")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", str(quota))
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000")
    assert host.share == share


def test_without_a_limit_all_that_it_may_run_on_count(tmp_path: Path) -> None:
    assert processor_share(tmp_path) == ALLOWED


def test_no_limit_gives_more_than_it_may_run_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    host = Host(tmp_path, "0::/", V2)
    host.write("sys/fs/cgroup/cpu.max", "800000 100000")
    assert host.share == 1


def test_this_machine_has_a_share() -> None:
    assert 1 <= processor_share() <= ALLOWED
