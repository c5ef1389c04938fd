"""A running image: its root read-only, its user without rights, its command as PID 1; by Docker or by bubblewrap."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

MODELS = "/mnt"
"""Where a container sees the store: a folder that every base has."""

_PORT = 8000


class Running(NamedTuple):
    """A container that runs. ``stop`` sends the image's own stop signal to PID 1, and comes back at once."""

    popen: subprocess.Popen[str]
    stop: Callable[[], object]

    def wait(self) -> tuple[int, str]:
        """The exit status and what was written, once it has ended."""
        written, _ = self.popen.communicate(timeout=60)
        return self.popen.returncode, written

    def kill(self) -> str:
        """Ends it at once; what was written."""
        self.popen.kill()
        return self.wait()[1]


class Containers(Protocol):
    """Runs commands in one image, with a store to read and a port of the machine that leads to its port 8000."""

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command in place of the image's own, to its end."""

    def start(self, port: int, variables: Mapping[str, str]) -> AbstractContextManager[Running]:
        """Runs the image's own command until the block ends."""


class DockerContainers(NamedTuple):
    """By Docker."""

    tag: str
    store: Path

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        arguments = ["--entrypoint", command[0], self.tag, *command[1:]]
        return subprocess.run([*self._command(), *arguments], capture_output=True, text=True, check=False)

    @contextmanager
    def start(self, port: int, variables: Mapping[str, str]) -> Iterator[Running]:
        name = f"alphard-{os.getpid()}-{port}"
        given = [f"--env={key}={value}" for key, value in variables.items()]
        command = [*self._command(), f"--name={name}", f"--publish=127.0.0.1:{port}:{_PORT}", *given, self.tag]
        with _started(command) as popen:
            try:
                yield Running(
                    popen, lambda: subprocess.Popen(["docker", "stop", "--time=60", name], stdout=subprocess.DEVNULL)
                )
            finally:
                subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)

    def _command(self) -> list[str]:
        hardened = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        return ["docker", "run", "--rm", *hardened, f"--volume={self.store}:{MODELS}:ro"]


class BubblewrapContainers(NamedTuple):
    """By bubblewrap, which needs no daemon, on an image that is unpacked into ``root``."""

    root: Path
    config: dict[str, Any]
    store: Path

    @property
    def variables(self) -> dict[str, str]:
        """The environment that the image sets."""
        return dict(pair.split("=", 1) for pair in self.config["Env"])

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        wrapped = [*self.command(), *command]
        return subprocess.run(wrapped, env=self.variables, capture_output=True, text=True, check=False)

    @contextmanager
    def start(self, port: int, variables: Mapping[str, str]) -> Iterator[Running]:
        reader, writer = os.pipe()
        command = [*self.command("--info-fd", str(writer)), *(self.config.get("Entrypoint") or ()), *self.config["Cmd"]]
        # It shares the machine's network, so that the port is the machine's.
        environment = {**self.variables, **variables, "ALPHARD_PORT": str(port)}
        with _started(command, environment, pass_fds=(writer,)) as popen:
            os.close(writer)
            with os.fdopen(reader) as info:
                pid = json.loads(info.read())["child-pid"]
            number = signal.Signals[self.config.get("StopSignal", "SIGTERM")]
            yield Running(popen, lambda: os.kill(pid, number))

    def command(self, *options: str) -> list[str]:
        """What to put before a command that is to run in the image, in an environment with ``variables``."""
        user, _, group = self.config["User"].partition(":")
        volumes = [word for path in self.config.get("Volumes") or () for word in ("--tmpfs", path)]
        mounts = ["--ro-bind", str(self.root), "/", *volumes, "--ro-bind", str(self.store), MODELS]
        alone = ["--unshare-user", "--uid", user, "--gid", group, "--unshare-pid", "--as-pid-1", "--unshare-ipc"]
        folder = ["--chdir", self.config["WorkingDir"]]
        bwrap = shutil.which("bwrap") or "bwrap"
        return [bwrap, *mounts, "--proc", "/proc", "--dev", "/dev", *alone, "--die-with-parent", *folder, *options]


@contextmanager
def _started(
    command: Sequence[str], environment: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, pass_fds=pass_fds
    ) as popen:
        try:
            yield popen
        finally:
            popen.kill()
