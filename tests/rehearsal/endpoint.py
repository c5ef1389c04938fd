"""A test tool: an HTTP server that answers every request the same, and notes what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple


class Answers(NamedTuple):
    """With no status, the body is all that is sent, and the connection ends."""

    status: int | None
    body: bytes


class Endpoint:
    """``hold`` is cleared to let requests wait."""

    def __init__(self) -> None:
        self.answers = Answers(200, b"{}")
        self.bodies: list[bytes] = []
        self.connections = self.reads = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None] | None] = set()

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncIterator[Endpoint]:
        endpoint = cls()
        endpoint._server = await asyncio.start_server(endpoint._serve, "127.0.0.1", 0)
        try:
            yield endpoint
        finally:
            endpoint.close()
            await asyncio.gather(*filter(None, endpoint._serving))

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving.add(asyncio.current_task())
        received = b""
        with suppress(ConnectionError):
            while part := await reader.read(65536):
                self.reads += 1
                received += part
                head, end, body = received.partition(b"\r\n\r\n")
                if not end or len(body) < int(head.rpartition(b"content-length: ")[2]):
                    continue
                self.bodies.append(body)
                received = b""
                await self.hold.wait()
                status, given = self.answers
                if status is None:
                    writer.write(given)
                    break
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(given), given))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
