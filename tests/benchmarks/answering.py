"""A server in this process that answers as a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from benchmarks.contest import NOOP

ONE, OTHER = NOOP.request([[1.0]]), NOOP.request([[2.0]])
BODIES = [request.rpartition(b"\r\n\r\n")[2] for request in (ONE, OTHER)]


def response(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@contextmanager
def answering(answer: Callable[[bytes, int], bytes | None]) -> Iterator[tuple[str, int]]:
    """A server that answers what the function makes of a request and its number, and closes the connection at None."""
    numbers = iter(range(1_000_000))

    def talk(connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):  # a client that saw a wrong answer leaves
            while request := connection.recv(65536):
                said = answer(request, next(numbers))
                if said is None:
                    return
                connection.sendall(said)

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def echo(request: bytes, _number: int) -> bytes:
    return response(request.rpartition(b"\r\n\r\n")[2])
