"""Targets at a distance: what is sent arrives, and so does the end of a connection, but later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from rehearsal.balancer import Balancer
from rehearsal.network import Distant

SECONDS = 0.05


class Echo:
    """Echoes lines, and closes after ``bye``."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.closed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.heard.append(line)
            if line == b"bye\n":
                break
            writer.write(line)
        writer.close()
        self.closed.set()


class Registrar(Balancer):
    """Notes where targets are registered."""

    def __init__(self) -> None:
        self.registered: list[tuple[str, str, int]] = []

    async def register(self, group: str, address: str, port: int) -> str:
        self.registered.append((group, address, port))
        return "target"


class Talk(NamedTuple):
    target: Echo
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def distant() -> AsyncIterator[Talk]:
    """A target, and a connection to it by the way that the balancer was told."""
    target, balancer = Echo(), Registrar()
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    async with server, AsyncExitStack() as stack:
        port = server.sockets[0].getsockname()[1]
        await Distant(balancer, SECONDS, stack).register("blue", "127.0.0.1", port)
        ((_, _, way),) = balancer.registered
        assert way != port
        reader, writer = await asyncio.open_connection("127.0.0.1", way)
        yield Talk(target, reader, writer)
        writer.close()
        await target.closed.wait()


def test_what_is_sent_arrives_and_is_answered() -> None:
    async def talk() -> None:
        async with distant() as (target, reader, writer):
            for line in (b"one\n", b"two\n"):
                writer.write(line)
                assert await reader.readline() == line
            assert target.heard == [b"one\n", b"two\n"]

    asyncio.run(talk())


def test_the_end_arrives_from_either_side() -> None:
    async def talk() -> None:
        async with distant() as (target, reader, writer):
            writer.write(b"bye\n")
            assert await reader.read() == b""
            assert target.closed.is_set()
        async with distant() as (target, _, writer):
            writer.write(b"one\n")
            writer.close()
            await target.closed.wait()
            assert target.heard == [b"one\n"]

    asyncio.run(talk())


def test_what_is_sent_while_the_end_is_on_its_way_is_lost() -> None:
    async def talk() -> None:
        async with distant() as (target, reader, writer):
            writer.write(b"bye\n")
            await target.closed.wait()
            writer.write(b"one\n")  # the end is not here yet
            assert not reader.at_eof()
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            assert target.heard == [b"bye\n"]

    asyncio.run(talk())


def test_a_target_that_refuses_is_a_connection_that_ends() -> None:
    async def talk() -> None:
        balancer = Registrar()
        async with AsyncExitStack() as stack:
            await Distant(balancer, SECONDS, stack).register("blue", "127.0.0.1", 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", balancer.registered[0][2])
            assert await reader.read() == b""
            writer.close()

    asyncio.run(talk())
