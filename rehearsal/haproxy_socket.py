"""HAProxy's runtime API, which is spoken over a socket of its own."""

from __future__ import annotations

import asyncio
from enum import Enum
from pathlib import Path

from rehearsal.errors import BalancerError

_ANSWER_SECONDS = 10.0
_ADDED = "New server registered."


class ServerState(Enum):
    """A server's operational state, by the number that ``show servers state`` gives for it.

    Source: HAProxy's management guide; ``STOPPING`` is what its statistics call NOLB: no new request, and checked.
    """

    STOPPED = 0
    STARTING = 1
    RUNNING = 2
    STOPPING = 3


class AdminSocket:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def order(self, *commands: str) -> None:
        """Gives the commands one after another. Raises BalancerError for what HAProxy does not do."""
        answer = await self.ask("; ".join(commands))
        for line in answer.splitlines():
            if line.strip() not in ("", _ADDED):
                raise BalancerError(f"HAProxy refuses a command: {line}")

    async def states(self, backend: str) -> dict[str, ServerState]:
        """The state of each server of the backend, by name."""
        _, header, *rows = (await self.ask(f"show servers state {backend}")).strip().splitlines()
        columns = header.removeprefix("# ").split()
        servers = [dict(zip(columns, row.split(), strict=True)) for row in rows]
        return {server["srv_name"]: ServerState(int(server["srv_op_state"])) for server in servers}

    async def ask(self, line: str) -> str:
        """What HAProxy answers to the line. Raises BalancerError if it does not."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._exchange(line)
        except (OSError, TimeoutError) as error:
            raise BalancerError("HAProxy does not answer: it has ended, or hangs") from error

    async def _exchange(self, line: str) -> str:
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(f"{line}\n".encode())
            answer = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        if not answer:  # it answers every command with a line at least
            raise ConnectionResetError("closed without an answer")
        return answer.decode()
