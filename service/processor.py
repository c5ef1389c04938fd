"""How much of the processor this process may use: a task's share, not the host's cores."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def processor_share(root: Path = Path("/")) -> int:
    """Processors that this process can keep busy, rounded up: the fewest of those that it may run on and the limits of
    the control groups that it is in.

    A limit may stand on the container's group or only on the task's around it, so all that can be seen up to the top
    are read, of version 1 and 2 (https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max;
    https://docs.kernel.org/scheduler/sched-bwc.html). ``root`` holds /proc and what is mounted.
    """
    return max(1, math.ceil(min([float(_allowed()), *_limits(root)])))


def _allowed() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _limits(root: Path) -> Iterator[float]:
    for folder in _groups(root):
        with suppress(OSError, ValueError, ZeroDivisionError):  # no such file; "max" in place of a number
            quota, period = _quota(folder)
            if quota > 0:  # version 1 says -1 where there is no limit
                yield quota / period


def _quota(folder: Path) -> tuple[int, int]:
    """The microseconds of a processor that a group may use in a period of so many."""
    v2 = folder / "cpu.max"
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    words = v2.read_text().split() if v2.exists() else [(folder / name).read_text() for name in names]
    quota, period = map(int, words)
    return quota, period


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in, from its own to the top of what is mounted."""
    own = dict(_own_groups(root))
    for hierarchy, top, mounted_at in _mounts(root):
        if hierarchy in own:
            folder = mounted_at / _below(own[hierarchy], top)
            yield folder
            yield from (parent for parent in folder.parents if parent.is_relative_to(mounted_at))


def _below(group: str, top: str) -> PurePosixPath:
    """The way from the group that is mounted to the process's own. Nothing, where the latter is named as from outside
    of a container."""
    path = PurePosixPath(group)
    return path.relative_to(top) if path.is_relative_to(top) and ".." not in path.parts else PurePosixPath()


def _own_groups(root: Path) -> Iterator[tuple[str, str]]:
    """For each hierarchy that may limit the processor ("" is version 2) the process's group (cgroups(7))."""
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, group = line.split(":", 2)
        if number == "0" or "cpu" in controllers.split(","):
            yield controllers and "cpu", group


def _mounts(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Hierarchies as above: which group is mounted, and where (proc_pid_mountinfo(5))."""
    for line in _lines(root / "proc/self/mountinfo"):
        place, _, device = line.partition(" - ")
        kind, _, options = device.split(" ", 2)
        top, mounted_at = place.split(" ")[3:5]
        if kind == "cgroup2" or (kind == "cgroup" and "cpu" in options.split(",")):
            yield "" if kind == "cgroup2" else "cpu", top, root / mounted_at.lstrip("/")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
