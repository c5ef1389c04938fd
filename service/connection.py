"""What Uvicorn's HTTP protocol leaves open: slow or endless headers, and an answer to what is not HTTP."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
import uuid
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.problems import MEDIA_TYPE, Kind, ProblemDocument

HEADERS_LIMIT_BYTES = 64 * 1024
"""What an Application Load Balancer allows for all headers of a request; kept to within one read of the socket."""

LINGER_SECONDS = 1.0
"""How long a client that was refused may go on sending before its connection is closed."""

NOT_HTTP = Kind(400, "not-http", "The request is not HTTP that can be understood")
HEADERS_TOO_LARGE = Kind(431, "headers-too-large", "The headers of the request are too large")
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)
_LOGGER = logging.getLogger("alphard.http")


class Connection(HttpToolsProtocol):
    """Bounds the size of a request's headers, and the time from its first byte to its last.

    The application has a deadline of its own for a request that it has begun to answer, so when time is up only
    a connection is closed whose request is still in its headers, or was answered before all of its body came. A client
    that reads nothing for as long is given up too.
    """

    request_seconds: float
    """Set by ``connection_class``."""

    _in_headers = False
    _in_request = False
    _header_bytes = 0
    _refused = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as Uvicorn's own
        super().connection_made(transport)
        # Uvicorn starts the keep-alive timeout after a first answer; without one a connection would stay for ever.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        if sys.platform == "linux":
            # A closed connection stays as long as its client reads nothing of what is still to be sent.
            limit_milliseconds = int(self.request_seconds * 1000)
            connected: socket.socket = transport.get_extra_info("socket")
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_milliseconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._in_headers:
            self._header_bytes += len(data)
        elif not self._in_request and b"pgrade:" in data:
            data = _without_upgrade(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > HEADERS_LIMIT_BYTES:
            self._refuse(HEADERS_TOO_LARGE)
        elif self._in_request and self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self.request_seconds, self._expire)

    def on_message_begin(self) -> None:
        self._in_headers = self._in_request = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_request = False
        self._unwatch()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # always the same text
        """Called by Uvicorn for what is not HTTP, which gets a problem document like any other fault."""
        self._refuse(NOT_HTTP)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        if self._in_headers or self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _refuse(self, kind: Kind) -> None:
        """Answers and closes; only closes where another answer is under way."""
        request_id = uuid.uuid4().hex
        fields = {"event": "request_refused", "request_id": request_id, "status": kind.status, "reason": kind.name}
        _LOGGER.info("request refused", extra=fields)
        self._unwatch()
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # for the application, the client is gone
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        self.transport.write(_response(kind, request_id))
        # The client may still be sending, and closing at once would reset the connection and lose the answer.
        self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)


def connection_class(request_seconds: float) -> type[Connection]:
    """The class for Uvicorn's configuration, which takes a class and gives it no settings of ours."""
    return type("Connection", (Connection,), {"request_seconds": request_seconds})


def _without_upgrade(data: bytes) -> bytes:
    """A request without its offer to go on in another protocol, which a server may ignore (RFC 9110, section 7.8).

    The parser would take the body for that protocol's bytes and leave it out: Java's own client offers h2c with every
    request.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"", head) + end + rest


def _response(kind: Kind, request_id: str) -> bytes:
    body = ProblemDocument(kind, "The connection is closed.").encode(request_id)
    head = (
        f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}\r\n"
        f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
        f"x-request-id: {request_id}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
