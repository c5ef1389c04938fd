"""Server processes: started on a core of their own, waited for, weighed, ended with all of their children."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import Address, WrongAnswerError, ask
from benchmarks.machine import go_first

ROOT = Path(__file__).parent.parent
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_MIB = 1024 * 1024
_PORTS = (21_000, 31_000)
_ALLOWED_CORES = tuple(sorted(os.sched_getaffinity(0)))
# One thread for each library, as the server has one core.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Cores(NamedTuple):
    """Where servers run, and where the load is made: the same core, if there is only one."""

    server: int
    load: int

    @property
    def all(self) -> frozenset[int]:
        return frozenset(self)

    @property
    def are_shared(self) -> bool:
        return self.server == self.load


CORES = Cores(_ALLOWED_CORES[0], _ALLOWED_CORES[-1])


class StartError(Exception):
    """A server did not start, with the end of what it wrote."""


class Server(NamedTuple):
    """A running server and all of its descendants."""

    process: subprocess.Popen[bytes]
    address: Address

    def processor_seconds(self) -> float:
        """Of user and system, by it and by all that it started, to the hundredth of a second."""
        return sum(_ticks(each) for each in _family(self.process.pid)) / _TICKS_PER_SECOND

    def proportional_mib(self) -> float:
        """Of it and of all that it started, what they share by parts of those who have it (smaps_rollup, Pss)."""
        return sum(_proportional_bytes(each) for each in _family(self.process.pid)) / _MIB

    def resident_mib(self) -> float:
        """Of it and of all that it started."""
        return sum(_resident_bytes(each) for each in _family(self.process.pid)) / _MIB


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    ready: bytes,
    *,
    log: Path,
    port: int,
    seconds: float = 30,
    cores: Collection[int] = (CORES.server,),
    group: Path | None = None,
) -> Iterator[Server]:
    """Runs the command until the end of the block, which begins once ``ready``, a request, is answered with status 200.

    It runs on these cores, and in the control group of which ``group`` lists the processes. Raises StartError if that
    takes longer or the process ends.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # the commands are our own
            command,
            env={**os.environ, **_ONE_THREAD, **environment},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _prepare(cores, group),  # no thread is running here
        )
    server = Server(process, ("127.0.0.1", port))
    try:
        _wait(server, ready, log, seconds)
        yield server
    finally:
        _end(process)


def _prepare(cores: Collection[int], group: Path | None) -> None:
    """In the new process, before it becomes the server."""
    os.sched_setaffinity(0, cores)
    go_first()
    if group is not None:
        group.write_text(str(os.getpid()))


def free_port() -> int:
    """A port that nobody listens on, nor on the two after it: MLServer opens three.

    It is below those that the kernel gives to connections (ip(7), ip_local_port_range), which the load makes many of.
    """
    return next(port for port in range(*_PORTS, 3) if all(_is_free(port + i) for i in range(3)))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _wait(server: Server, ready: bytes, log: Path, seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at and server.process.poll() is None:
        with suppress(OSError, WrongAnswerError):
            ask(server.address, ready)
            return
        time.sleep(0.005)
    raise StartError(log.read_text(errors="replace")[-2000:])


def _end(process: subprocess.Popen[bytes]) -> None:
    for each in reversed(_family(process.pid)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    process.wait()


def _family(pid: int) -> list[int]:
    """The process and its descendants that live."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    family = [pid]
    for each in family:
        family += children.get(each, [])
    return family


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on, or none if it has ended (proc_pid_stat(5))."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _ticks(pid: int) -> int:
    """utime, stime, and both of the children that have been waited for."""
    return sum(int(field) for field in _stat(pid)[11:15])


def _resident_bytes(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _proportional_bytes(pid: int) -> int:
    lines = (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
