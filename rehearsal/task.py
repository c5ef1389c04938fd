"""A task as Fargate runs it: one container of a task definition, here a process with an address of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from rehearsal.deployed import TaskDefinition
from rehearsal.health import ContainerHealth, Verdict

CHECKOUT = Path(__file__).parents[1]
_NOTHING: Mapping[str, str] = MappingProxyType({})
_POLL_SECONDS = 0.02
_PATH = "/usr/local/bin:/usr/bin:/bin"
# The kernel ends the process when the thread that started it has ended (prctl's PR_SET_PDEATHSIG is 1), also after
# the program has become another. Set in a program between, for Python's own way (preexec_fn) may hang among threads.
_DIES_WITH_PARENT = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    sys.exit(137)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""


class Image(NamedTuple):
    """What a tag names: this checkout, with variables as a Dockerfile's ENV, and a command if not the definition's."""

    environment: Mapping[str, str] = _NOTHING
    command: tuple[str, ...] | None = None


class Ended(NamedTuple):
    """``exit_status`` as a container has it: 128 and the signal's number, if one ended it."""

    exit_status: int
    killed: bool


class Task:
    """Started once, and ended by itself, by ``terminate`` or by ``kill``; its output goes into ``log``.

    Its environment is the image's, under the definition's, under what the platform and the network give it: PATH,
    ALPHARD_HOST (with its own network, as ``awsvpc`` has it, it listens on every address; here on its own one), and
    ``extra``, such as credentials and endpoints. ``python`` is the interpreter that runs this.
    """

    def __init__(
        self,
        name: str,
        definition: TaskDefinition,
        address: str,
        log: Path,
        *,
        image: Image | None = None,
        extra: Mapping[str, str] = _NOTHING,
    ) -> None:
        self.name = name
        self.definition = definition
        self.address = address
        self.log = log
        self._image = image or Image()
        self._environment = {
            **self._image.environment,
            **definition.environment,
            "PATH": f"{Path(sys.executable).parent}:{_PATH}",
            "ALPHARD_HOST": address,
            **extra,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._health: ContainerHealth | None = None
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the process and its health check. The thread that calls this must live as long as the task."""
        command = self._argv(self._image.command or self.definition.command)
        with self.log.open("ab") as log:
            self._process = self._spawn(
                [sys.executable, "-IS", "-c", _DIES_WITH_PARENT, str(os.getpid()), *command], log.fileno()
            )
        if self.definition.health_check is not None:
            self._health = ContainerHealth(self.definition.health_check, self._passes)
            self._watch = asyncio.get_running_loop().create_task(self._health.watch())

    @property
    def alive(self) -> bool:
        """Whether the process is there, be it frozen."""
        alive = self._process is not None and self._process.poll() is None
        if not alive and self._watch is not None:
            self._watch.cancel()
        return alive

    @property
    def exit_status(self) -> int | None:
        """As a container has it, see ``Ended``; None while it is alive."""
        status = self._process.poll() if self._process else None
        return status if status is None or status >= 0 else 128 - status

    @property
    def health(self) -> Verdict:
        return self._health.verdict if self._health else "UNKNOWN"

    async def terminate(self) -> Ended:
        """SIGTERM, and SIGKILL if it has not ended when the stop timeout is over."""
        self._signal(signal.SIGTERM)
        in_time = self._process is None or await _ends(self._process, self.definition.stop_timeout_seconds)
        self.kill()
        return Ended(self.exit_status or 0, killed=not in_time)

    def kill(self) -> None:
        """Ends it at once, and returns when it has ended."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        if self._watch is not None:
            self._watch.cancel()

    def freeze(self) -> None:
        """Stops it where it is: it keeps its connections, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _argv(self, command: Sequence[str]) -> list[str]:
        return [sys.executable, *command[1:]] if command[0] == "python" else list(command)

    def _spawn(self, command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        # In a group of its own, so that an interrupt at the terminal is not for it.
        return subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    async def _passes(self) -> bool:
        """Runs the definition's check within the container, whose loopback is its own: here, its address."""
        check = self.definition.health_check
        if check is None:  # for the type checker: only a task with a check is watched
            return True
        form, *command = (word.replace("127.0.0.1", self.address) for word in check.command)
        argv = ["/bin/sh", "-c", *command] if form == "CMD-SHELL" else self._argv(command)
        process = self._spawn(argv, subprocess.DEVNULL)
        try:
            await _ends(process, check.timeout_seconds)
        finally:
            process.kill()
            process.wait()
        return process.returncode == 0


async def _ends(process: subprocess.Popen[bytes], within_seconds: float) -> bool:
    """Whether it has ended in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_seconds):
            while process.poll() is None:
                await asyncio.sleep(_POLL_SECONDS)
    return process.poll() is not None
