"""Test tools: targets that do as they are told, and a client's connection that hides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple


class Head(NamedTuple):
    first: str
    headers: dict[str, str]

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", 0))


class Seen(NamedTuple):
    """A request as a target saw it; its connections are numbered from 1, without those of health checks."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Target:
    """A real HTTP server. ``/health`` is answered with ``health_status`` and noted in ``checks``.

    ``/slow`` waits for ``release``, ``/break`` is not answered but cut, ``/last`` is the last of its connection; all
    else is answered with the target's name. ``begun`` has the paths whose bodies may still be on their way.
    """

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.port = 0
        self.health_status = 200
        self.checks: list[int] = []
        self.begun: list[str] = []
        self.seen: list[Seen] = []
        self.release = asyncio.Event()
        self.open_connections: set[int] = set()
        self._connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.address)
        self.port = self._server.sockets[0].getsockname()[1]

    def crash(self) -> None:
        """Refuses connections, and cuts those it has."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def idle(self) -> None:
        """Returns when no connection is left."""
        while self._writers:
            await asyncio.sleep(0.001)

    def paths(self) -> list[str]:
        return [request.path for request in self.seen]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._converse(reader, writer)
        finally:
            await _close(writer)
            self._writers.discard(writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await _head(reader)
        if head.first.startswith("GET /health "):
            self.checks.append(self.health_status)
            writer.write(f"HTTP/1.1 {self.health_status} Health\r\nContent-Length: 0\r\n\r\n".encode())
            return
        self._connections += 1
        number = self._connections
        self.open_connections.add(number)
        try:
            while await self._answer(head, reader, writer, number):
                head = await _head(reader)
        finally:
            self.open_connections.discard(number)

    async def _answer(
        self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> bool:
        """Whether another may follow on this connection."""
        path = head.first.split()[1]
        self.begun.append(path)
        body = await reader.readexactly(head.length)
        self.seen.append(Seen(path, head.headers, body, connection))
        if path == "/slow":
            await self.release.wait()
        if path == "/break":
            return False
        more = "Connection: close\r\n" if path == "/last" else ""
        writer.write(f"HTTP/1.1 200 OK\r\n{more}Content-Length: {len(self.name)}\r\n\r\n{self.name}".encode())
        await writer.drain()
        return path != "/last"


@asynccontextmanager
async def running(name: str, address: str) -> AsyncIterator[Target]:
    target = Target(name, address)
    await target.listen()
    try:
        yield target
    finally:
        target.release.set()
        target.crash()
        await target.idle()


class Client:
    """One connection to a balancer, kept for request after request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, path: str = "/", headers: str = "") -> tuple[int, str]:
        """The answer's status and text; raises IncompleteReadError if the connection ends without one."""
        self.begin(path, headers)
        return await self.answer()

    def begin(self, path: str, headers: str = "", length: int = 0) -> None:
        """Sends a request but for its body."""
        self.send(f"POST {path} HTTP/1.1\r\nHost: alphard\r\nContent-Length: {length}\r\n{headers}\r\n".encode())

    def send(self, part: bytes) -> None:
        self._writer.write(part)

    async def answer(self) -> tuple[int, str]:
        head = await _head(self._reader)
        body = await self._reader.readexactly(head.length)
        return int(head.first.split()[1]), body.decode()

    async def ended(self) -> bytes:
        """What comes before the other side closes."""
        return await self._reader.read()


@asynccontextmanager
async def client(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        await _close(writer)


async def ask(port: int, path: str = "/", headers: str = "") -> tuple[int, str]:
    """On a connection of its own."""
    async with client(port) as connected:
        return await connected.ask(path, headers)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _head(reader: asyncio.StreamReader) -> Head:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().splitlines()
    named = (line.partition(":") for line in lines)
    return Head(first, {name.lower(): value.strip() for name, _, value in named})
