"""Clients of the load balancer, which check every answer, and some that behave as real ones sometimes do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import cast

import httptools

from rehearsal.exam import Exam
from rehearsal.outcomes import Kind, Outcome

PATIENCE_SECONDS = 30.0
"""How long a client waits for an answer."""

_PARTS = 20

Answer = tuple[int, bytes]
"""A status and a body."""


class Connection(asyncio.Protocol):
    """A client's, which has at most one request on its way."""

    def __init__(self) -> None:
        self.idle_since = time.monotonic()
        self.reusable = True
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []

    @classmethod
    async def open(cls, port: int) -> Connection:
        """To this port of loopback. Raises OSError."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        """The answer, or ConnectionResetError if the connection ends before it is whole."""
        self._answer = asyncio.get_running_loop().create_future()
        self._body = []
        if self._transport is None:
            self._answer.set_exception(ConnectionResetError("closed while it was idle"))
        else:
            self._transport.write(request)
        return self._answer

    def send_more(self, part: bytes) -> None:
        """Goes on with the request that was begun, if there is still somebody to send it to."""
        if self._transport is not None:
            self._transport.write(part)

    def close(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport, self.reusable = None, False
        self._fail(f"closed before the answer: {exc or 'end of stream'}")

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"not HTTP: {error}")
            self.close()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.reusable = self.reusable and self._parser.should_keep_alive()
        self.idle_since = time.monotonic()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), b"".join(self._body)))

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError(why))


class Client:
    """Asks for the bodies of an exam, and keeps what became of each request; seconds count from ``started_at``."""

    def __init__(self, port: int, exam: Exam, started_at: float) -> None:
        self.outcomes: list[Outcome] = []
        self._port = port
        self._exam = exam
        self._started_at = started_at
        self._requests = [_request(body) for body in exam.bodies]

    async def ask(
        self, index: int, intended_at: float, exchange: Callable[[bytes], Awaitable[Answer]], *, kept_alive: bool
    ) -> None:
        """Has the body of this index sent by ``exchange``; it should have begun at ``intended_at``."""
        status: int | None = None
        version, detail = None, ""
        kind: Kind
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, body = await exchange(self._requests[index])
        except TimeoutError:
            kind, detail = "late", f"no answer in {PATIENCE_SECONDS:g} s"
        except OSError as error:
            kind, detail = "cut", str(error)
        else:
            kind, version, detail = self._judge(index, status, body)
        at, took = intended_at - self._started_at, time.monotonic() - intended_at
        rows = self._exam.rows[index]
        self.outcomes.append(Outcome(round(at, 4), round(took, 6), kind, status, rows, kept_alive, version, detail))

    async def ask_slowly(self, index: int, seconds: float) -> None:
        """Sends a request in small parts over so many seconds; its latency counts from the last part."""

        async def exchange(request: bytes) -> Answer:
            connection = await Connection.open(self._port)
            size = -(-len(request) // _PARTS)
            answer = connection.send(request[:size])
            for start in range(size, len(request), size):
                await asyncio.sleep(seconds / (_PARTS - 1))
                connection.send_more(request[start : start + size])
            try:
                return await answer
            finally:
                connection.close()

        await self.ask(index, time.monotonic() + seconds, exchange, kept_alive=False)

    async def begin_and_stop(self, index: int) -> Connection:
        """Sends half of a request and leaves it at that; the connection is for the caller to close."""
        connection = await Connection.open(self._port)
        request = self._requests[index]
        # That nobody answers it is what such a client deserves.
        connection.send(request[: len(request) // 2]).add_done_callback(lambda answer: answer.exception())
        return connection

    async def ask_after_pauses(self, pauses: int, seconds: float, *, clients: int) -> None:
        """Many ask at the same time, and each again so many seconds after its answer.

        So the balancer comes to have as many connections to the targets, all idle for as long.
        """
        await asyncio.gather(*(self._ask_and_pause(pauses, seconds) for _ in range(clients)))

    async def _ask_and_pause(self, pauses: int, seconds: float) -> None:
        async def exchange(request: bytes) -> Answer:
            connection = await Connection.open(self._port)
            try:
                return await connection.send(request)
            finally:
                connection.close()

        await self.ask(self.large(), time.monotonic(), exchange, kept_alive=False)
        for _ in range(pauses):
            await asyncio.sleep(seconds)
            await self.ask(self.large(), time.monotonic(), exchange, kept_alive=False)

    def large(self) -> int:
        """The index of a body of many rows."""
        return max(range(len(self._exam.rows)), key=self._exam.rows.__getitem__)

    def _judge(self, index: int, status: int, body: bytes) -> tuple[Kind, str | None, str]:
        if status != 200:
            return "refused", None, " ".join(body[:200].decode(errors="replace").split())
        version, fault = self._exam.check(index, body)
        return ("answered", version, "") if fault is None else ("wrong", version, fault)


def _request(body: bytes) -> bytes:
    head = f"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body
