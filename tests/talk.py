"""A test tool: HTTP said word by word over a socket."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any

from tests.serving import WAIT_SECONDS, until


class Talk:
    """A socket whose words are ours to choose; ``receive_bytes`` bounds what it takes in without being read."""

    def __init__(self, port: int, words: bytes = b"", *, receive_bytes: int | None = None) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(WAIT_SECONDS)
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", port))
        self.heard = b""
        self.socket.sendall(words)

    def fill(self, words: bytes) -> None:
        """Sends them again and again until the server takes no more, and reads nothing."""
        self.socket.settimeout(0.1)
        with suppress(OSError):
            for _ in range(1000):
                self.socket.sendall(words * 10)

    def hear(self, count: int = 1) -> list[bytes]:
        """The first answers, whole."""
        until(lambda: len(self._answers()) >= count or self._listen(), "an answer")
        return self._answers()

    def hear_all(self) -> bytes:
        """Everything until the server closes the connection."""
        until(self._listen, "the end of the connection")
        return self.heard

    def _listen(self) -> bool:
        try:
            chunk = self.socket.recv(65536)
        except ConnectionResetError:
            chunk = b""
        self.heard += chunk
        return not chunk

    def _answers(self) -> list[bytes]:
        found, rest = [], self.heard
        while b"\r\n\r\n" in rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            length = next((int(v) for k, v in map(_header, head.split(b"\r\n")) if k == b"content-length"), 0)
            if len(rest) < length:
                break
            found.append(head + b"\r\n\r\n" + rest[:length])
            rest = rest[length:]
        return found

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def _header(line: bytes) -> tuple[bytes, bytes]:
    key, _, value = line.partition(b":")
    return key.strip().lower(), value.strip()


def status(answer: bytes) -> int:
    """Its status."""
    return int(answer.split(b" ")[1])


def problem(answer: bytes) -> Any:
    """Its problem document."""
    assert b"content-type: application/problem+json" in answer
    return json.loads(answer.partition(b"\r\n\r\n")[2])
