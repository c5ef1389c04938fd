"""A load generator that costs little itself and looks at every answer.

One thread, one epoll, requests that were encoded beforehand. An answer is compared as bytes with one that was checked
by its meaning; what a server writes into every answer anew has no place in the compared part.
"""

from __future__ import annotations

import gc
import math
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

_READ_BYTES = 1 << 20
_END_OF_HEAD = b"\r\n\r\n"
_PATIENCE_SECONDS = 10.0
_SPIN_SECONDS = 0.002
"""What epoll cannot be trusted to wait to the microsecond; so long before a request is due, it is asked in a loop."""

Address = tuple[str, int]


class WrongAnswerError(Exception):
    """A server answered with another status or body than the one that was found to be right, or not at all."""


@dataclass
class Load:
    """What one run saw: latencies in seconds, one for each answer, and how long it took."""

    seconds: float
    latencies: list[float] = field(repr=False)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """The smallest latency that so many percent of all do not exceed."""
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


class Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=_PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.expected = b""
        self._buffer = b""

    def send(self, request: bytes, expected: bytes, at: float) -> None:
        self.sent_at = at
        self.expected = expected
        self._buffer = b""
        self.socket.sendall(request)

    def read(self) -> bytes | None:
        """The response's body once it is whole, else None. Raises WrongAnswerError as ``whole_body`` does."""
        data = self.socket.recv(_READ_BYTES)
        if not data:
            raise WrongAnswerError("the server closed the connection")
        self._buffer = self._buffer + data if self._buffer else data
        return whole_body(self._buffer)

    def is_answered(self) -> bool:
        """Reads; whether the answer is whole. Raises WrongAnswerError if it is another than the expected one."""
        body = self.read()
        if body is not None and body != self.expected:
            raise WrongAnswerError(body[:400].decode("latin-1"))
        return body is not None


def whole_body(response: bytes) -> bytes | None:
    """The body of a response, None while bytes are missing. Raises WrongAnswerError unless its status is 200."""
    end = response.find(_END_OF_HEAD)
    if end < 0:
        return None
    head = response[:end].lower()
    if not head.startswith(b"http/1.1 200"):
        raise WrongAnswerError(response[:400].decode("latin-1"))
    body = response[end + 4 :]
    start = head.find(b"content-length:")
    if start < 0:
        return _unchunk(body)
    length = int(head[start + 15 :].split(b"\r\n", 1)[0])
    return body if len(body) >= length else None


def _unchunk(body: bytes) -> bytes | None:
    parts: list[bytes] = []
    at = 0
    while True:
        line = body.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(body[at:line], 16)
        at = line + 4 + size
        if at > len(body):
            return None
        if size == 0:
            return b"".join(parts)
        parts.append(body[line + 2 : line + 2 + size])


def ask(address: Address, request: bytes) -> bytes:
    """The body of the answer to one request on a connection of its own. Raises WrongAnswerError or OSError."""
    connection = Connection(address)
    try:
        connection.send(request, b"", 0.0)
        while (body := connection.read()) is None:
            pass
        return body
    finally:
        connection.socket.close()


def closed_loop(
    addresses: Sequence[Address],
    requests: Sequence[bytes],
    answers: Sequence[bytes],
    *,
    connections: int,
    seconds: float = math.inf,
    count: float = math.inf,
) -> Load:
    """Each connection sends its next request as soon as it has an answer, for so long or until so many are sent.

    What is under way then is waited for: no server has work left that the next one would feel. The connections go to
    the addresses in turn, and so are ``requests`` sent; ``answers`` are their bodies. Raises WrongAnswerError at the
    first other answer.
    """
    latencies: list[float] = []
    turn = 0
    with _opened(addresses, connections) as (opened, poll):
        start = now = time.perf_counter()
        for connection in opened.values():
            connection.send(requests[turn % len(requests)], answers[turn % len(requests)], now)
            turn += 1
        while len(latencies) < turn:
            for number in _ready(poll, _PATIENCE_SECONDS):
                connection = opened[number]
                if connection.is_answered():
                    now = time.perf_counter()
                    latencies.append(now - connection.sent_at)
                    if turn < count and now - start < seconds:
                        connection.send(requests[turn % len(requests)], answers[turn % len(requests)], now)
                        turn += 1
    return Load(now - start, latencies)


def open_loop(
    addresses: Sequence[Address],
    requests: Sequence[bytes],
    answers: Sequence[bytes],
    *,
    connections: int,
    rate: float,
    seconds: float,
) -> Load:
    """Requests at a constant rate, whatever the answers do.

    A latency counts from the moment the request should have been sent, so that a stall is seen by all who would have
    come while it lasted. Raises WrongAnswerError at the first other answer.
    """
    latencies: list[float] = []
    total, turn = max(1, int(rate * seconds)), 0
    with _opened(addresses, connections) as (opened, poll):
        idle = deque(opened.values())
        start = time.perf_counter()
        while len(latencies) < total:
            now = time.perf_counter()
            while turn < total and idle and (due := start + turn / rate) <= now:
                idle.popleft().send(requests[turn % len(requests)], answers[turn % len(requests)], due)
                turn += 1
            may_send = turn < total and bool(idle)
            wait = start + turn / rate - time.perf_counter() - _SPIN_SECONDS if may_send else _PATIENCE_SECONDS
            for number in _ready(poll, wait):
                connection = opened[number]
                if connection.is_answered():
                    latencies.append(time.perf_counter() - connection.sent_at)
                    idle.append(connection)
        return Load(time.perf_counter() - start, latencies)


@contextmanager
def _opened(addresses: Sequence[Address], count: int) -> Iterator[tuple[dict[int, Connection], select.epoll]]:
    """Connections by number, and what waits for them. Nothing is collected meanwhile: a pause would be measured."""
    connections = [Connection(addresses[i % len(addresses)]) for i in range(count)]
    opened = {each.socket.fileno(): each for each in connections}
    poll = select.epoll()
    for number in opened:
        poll.register(number, select.EPOLLIN)
    gc.disable()
    try:
        yield opened, poll
    finally:
        gc.enable()
        poll.close()
        for connection in opened.values():
            connection.socket.close()


def _ready(poll: select.epoll, seconds: float) -> list[int]:
    """Connections that can be read, waited for at most so long. Raises WrongAnswerError after all of our patience."""
    ready = [number for number, _ in poll.poll(max(0.0, seconds))]
    if not ready and seconds >= _PATIENCE_SECONDS:
        raise WrongAnswerError(f"no answer within {_PATIENCE_SECONDS:.0f} s")
    return ready
