"""Fargate's place: starts tasks, each on an address of the scene's own block of loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from rehearsal.deployed import TaskDefinition
from rehearsal.errors import RehearsalError
from rehearsal.task import Image, Task

_BLOCKS = range(40, 240)
_CLAIM_PORT = 39999


class Fargate:
    """Within the block, tasks can be started; at its end every one is killed.

    ``images`` by tag; a tag that is not there names this checkout. Scenes may run at the same time, also in several
    processes: each has 127.40.0.0/16 or one of the next for itself, on Linux, whose loopback is all of 127.0.0.0/8.
    Raises RehearsalError if no block is left.
    """

    def __init__(self, folder: Path, *, images: Mapping[str, Image] | None = None) -> None:
        self._folder = folder
        self._images = images or {}
        self.block = ""
        """The first two numbers of all addresses, once the claim to them is made."""
        self.tasks: list[Task] = []

    def __enter__(self) -> Self:
        self._claim = _claim(_BLOCKS)
        self.block = self._claim.getsockname()[0].rsplit(".", 2)[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self.tasks:
            task.kill()
        self._claim.close()

    def launch(self, definition: TaskDefinition, credentials: Mapping[str, str]) -> Task:
        """A started task; its name is its number, and its output in ``task-<name>.log`` of the scene's folder.

        ``credentials`` are variables by which it has its role, and by which it finds AWS.
        """
        number = len(self.tasks) + 1
        task = Task(
            str(number),
            definition,
            f"{self.block}.{number // 250 + 1}.{number % 250 + 1}",
            self._folder / f"task-{number}.log",
            image=self._images.get(definition.tag),
            extra=credentials,
        )
        self.tasks.append(task)
        return task


def _claim(blocks: Iterable[int]) -> socket.socket:
    """A socket on the block's own address is the claim: the kernel gives it to one, and takes it back at his end."""
    for block in blocks:
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((f"127.{block}.255.1", _CLAIM_PORT))
        except OSError:
            claim.close()
        else:
            return claim
    raise RehearsalError("no block of loopback addresses is free")
