"""A task as Fargate runs it: one container of a task definition, here a process with an address of its own."""

from __future__ import annotations

import asyncio
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
_PATH = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
_SETPRIV = "/usr/bin/setpriv"
_POLL_SECONDS = 0.02


class Image(NamedTuple):
    """What a tag names: this checkout, with variables as a Dockerfile's ENV, and a command if not the definition's."""

    environment: Mapping[str, str] = _NOTHING
    command: tuple[str, ...] | None = None


class Ended(NamedTuple):
    """``exit_status`` as ``Task.exit_status`` has it."""

    exit_status: int
    killed: bool


class Task:
    """A process, started when this is made; it ends by itself, by ``terminate``, by ``kill`` or with this process.

    Its environment is the image's, under the definition's, under what the platform and the network give it: PATH,
    ALPHARD_HOST and ``extra``, such as credentials and endpoints. In a network of its own, as ``awsvpc`` has it, the
    service listens on every address; here it has one address of loopback. ``python`` is the interpreter that runs this,
    the working directory the checkout; what it writes is added to ``log``.

    Made in an event loop, which runs the container's health check; the thread must live as long as the task.
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
        image = image or Image()
        platform = {"PATH": _PATH, "ALPHARD_HOST": address, **extra}
        self._environment = {**image.environment, **definition.environment, **platform}
        with log.open("ab") as output:
            self._process = self._run(_argv(image.command or definition.command), output.fileno())
        self._health: ContainerHealth | None = None
        if definition.health_check is not None:
            self._health = ContainerHealth(definition.health_check, self._passes)
            self._watch = asyncio.get_running_loop().create_task(self._health.watch(lambda: self.alive))

    @property
    def alive(self) -> bool:
        """Whether the process is there, be it frozen."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """As a container has it: 128 and the signal's number, if one ended it. None while it is alive."""
        status = self._process.poll()
        return None if status is None else _as_container(status)

    @property
    def health(self) -> Verdict:
        """What its container's own check says."""
        return self._health.verdict if self._health else "UNKNOWN"

    async def terminate(self) -> Ended:
        """SIGTERM, and SIGKILL if it has not ended when the stop timeout is over."""
        self._process.send_signal(signal.SIGTERM)
        in_time = await _ends(self._process, self.definition.stop_timeout_seconds)
        self.kill()
        return Ended(_as_container(self._process.returncode), killed=not in_time)

    def kill(self) -> None:
        """Ends it at once, if it is alive; it has ended when this returns."""
        self._process.kill()
        self._process.wait()
        if self._health is not None:
            self._watch.cancel()

    def freeze(self) -> None:
        """Stops it where it is: it keeps its connections, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    async def _passes(self) -> bool:
        """Runs the definition's check in the container, whose loopback is its own: here, its address."""
        check = self.definition.health_check
        if check is None:  # for the type checker: only a task with a check is watched
            return True
        form, *command = (word.replace("127.0.0.1", self.address) for word in check.command)
        argv = ["/bin/sh", "-c", *command] if form == "CMD-SHELL" else _argv(command)
        process = self._run(argv, subprocess.DEVNULL)
        try:
            return await _ends(process, check.timeout_seconds) and process.returncode == 0
        finally:
            process.kill()
            process.wait()

    def _run(self, argv: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        """In a group of its own, so that an interrupt at the terminal is not for it; killed if this thread ends."""
        return subprocess.Popen(
            [_SETPRIV, "--pdeathsig", "KILL", *argv],
            cwd=CHECKOUT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _argv(command: Sequence[str]) -> list[str]:
    return [sys.executable, *command[1:]] if command[0] == "python" else list(command)


def _as_container(status: int) -> int:
    return status if status >= 0 else 128 - status


async def _ends(process: subprocess.Popen[bytes], within_seconds: float) -> bool:
    """Whether it has ended in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_seconds):
            while process.poll() is None:
                await asyncio.sleep(_POLL_SECONDS)
    return process.poll() is not None
