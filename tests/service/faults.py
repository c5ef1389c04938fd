"""A relay in front of S3 that fails on purpose: it hangs, trickles, cuts answers short, loses or replaces them."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["hang", "trickle", "cut", "lose"] | tuple[int, str] | None
Plan = Callable[[str, str], Fault]


class Relay:
    """``plan`` takes a request's method and path and says what goes wrong with it; it may be set at any time.

    "lose" lets the server do its work and closes the connection; a status and a code are answered in its place.
    """

    def __init__(self, endpoint: str, plan: Plan) -> None:
        self.endpoint = endpoint
        self.plan = plan
        self.released = threading.Event()
        self.seen: list[str] = []


@contextmanager
def relay(upstream: str, plan: Plan) -> Iterator[Relay]:
    """A relay to the server at ``upstream``; whatever hangs in it ends with the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream = urlsplit(upstream).netloc
    control = server.control = Relay(f"http://127.0.0.1:{server.server_port}", plan)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield control
    finally:
        control.released.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    control: Relay
    upstream: str


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # answers "Expect: 100-continue", for which boto3 else waits a second

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        control, upstream = self.server.control, self.server.upstream
        control.seen.append(f"{self.command} {self.path}")
        fault = control.plan(self.command, self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = self._chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
        self.close_connection = True
        if fault == "hang":
            control.released.wait(60)
        elif isinstance(fault, tuple):
            self._answer(fault[0], [], f"<Error><Code>{fault[1]}</Code></Error>".encode())
        else:
            status, headers, data = self._forward(upstream, body)
            if fault is None:
                self._answer(status, headers, data)
            elif fault != "lose":
                self._answer_badly(control, status, headers, data, fault)

    do_PUT = do_HEAD = do_POST = do_GET  # noqa: N815  # names that http.server looks for

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _forward(self, upstream: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(upstream, timeout=30)
        dropped = ("transfer-encoding", "content-length", "expect", "connection")
        headers = {key: value for key, value in self.headers.items() if key.lower() not in dropped}
        connection.request(self.command, self.path, body=body, headers={**headers, "Content-Length": str(len(body))})
        response = connection.getresponse()
        data = response.read()
        kept = [(k, v) for k, v in response.getheaders() if k.lower() not in ("content-length", "connection")]
        connection.close()
        return response.status, kept, data

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self._head(status, headers, len(data))
        self.wfile.write(data)

    def _answer_badly(
        self, control: Relay, status: int, headers: list[tuple[str, str]], data: bytes, fault: Fault
    ) -> None:
        self._head(status, headers, len(data))
        half = len(data) // 2
        self.wfile.write(data[:half])
        for i in range(half, len(data) if fault == "trickle" else half):
            if control.released.wait(0.2):
                return
            self.wfile.write(data[i : i + 1])

    def _head(self, status: int, headers: list[tuple[str, str]], length: int) -> None:
        self.send_response_only(status)
        for key, value in headers:
            self.send_header(key, value)
        if status != 304:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""
