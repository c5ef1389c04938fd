"""The machine below a measurement: who has the processor first, who took it meanwhile, and how much of it one may use.

Only Linux tells and does all of this, some of it only for root; what it refuses is left as it is, and is said.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_FIRST = -20
_AUTOGROUP = Path("/proc/self/autogroup")
_CPU_GROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD_MICROSECONDS = 100_000
_SHARES_OF_THE_FIRST = "262144"


def go_first() -> None:
    """This process, which begins a session of its own, comes before the machine's other work, if it may.

    The priority of a process counts among those of its session only, that of the session among all (sched(7),
    "The autogroup feature").
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _FIRST)
        _AUTOGROUP.write_text(str(_FIRST))


@contextmanager
def going_first() -> Iterator[bool]:
    """The same for a process whose session others share, until the block ends; whether it may."""
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    session = _AUTOGROUP.read_text().rpartition(" ")[2].strip() if _AUTOGROUP.exists() else None
    go_first()
    try:
        yield os.getpriority(os.PRIO_PROCESS, 0) == _FIRST
    finally:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, priority)
            if session is not None:
                _AUTOGROUP.write_text(session)


@contextmanager
def on_cores(cores: Collection[int]) -> Iterator[None]:
    """This process may run on these until the block ends."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Moment(NamedTuple):
    """Seconds until now: on the clock, in which a core ran no process, and in which this thread waited to be run."""

    clock: float
    idle: float
    waited: float

    @classmethod
    def of(cls, core: int) -> Moment:
        return cls(time.perf_counter(), _seconds_idle(core), _seconds_waited())


def _seconds_idle(core: int) -> float:
    """Of idle, iowait, irq and softirq, to the hundredth of a second (proc_stat(5))."""
    lines = Path("/proc/stat").read_text().splitlines()
    fields = next(line.split() for line in lines if line.startswith(f"cpu{core} "))
    return sum(int(each) for each in fields[4:8]) / _TICKS_PER_SECOND


def _seconds_waited() -> float:
    """For which this thread could have run and others did (https://docs.kernel.org/scheduler/sched-stats.html)."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


@contextmanager
def processor_share(share: float) -> Iterator[Path | None]:
    """A control group whose processes have so much of a core together, in each tenth of a second, as a task has.

    What is to be limited writes its id into the file. None where groups of version 1 cannot be made.
    """
    group = _CPU_GROUPS / f"benchmark-{os.getpid()}"
    try:
        _make_group(group, share)
    except OSError:
        yield None
    else:
        yield group / "cgroup.procs"
    finally:
        with suppress(OSError):
            group.rmdir()


def _make_group(group: Path, share: float) -> None:
    group.mkdir()
    (group / "cpu.shares").write_text(_SHARES_OF_THE_FIRST)  # in it, no priority counts among those outside
    (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
    (group / "cpu.cfs_quota_us").write_text(str(int(share * _PERIOD_MICROSECONDS)))
