"""What Uvicorn's HTTP protocol leaves open: slow or endless headers, an answer to what is not HTTP, the shorter way."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
import time
import uuid
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.direct import Direct
from service.problems import MEDIA_TYPE, Kind, ProblemDocument
from service.routes import PREDICT_PATH, Decoded

HEADERS_LIMIT_BYTES = 64 * 1024
"""What an Application Load Balancer allows for all headers of a request; kept to within one read of the socket."""

LINGER_SECONDS = 1.0
"""How long a client that was refused may go on sending before its connection is closed."""

NOT_HTTP = Kind(400, "not-http", "The request is not HTTP that can be understood")
HEADERS_TOO_LARGE = Kind(431, "headers-too-large", "The headers of the request are too large")
_STATUS_OK = b"HTTP/1.1 200 OK\r\n"
_PREDICT_URL = PREDICT_PATH.encode()
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)
_LOGGER = logging.getLogger("alphard.http")


class Connection(HttpToolsProtocol):
    """Bounds the size of a request's headers, and the time from its first byte to its last.

    The application has a deadline of its own for a request that it has begun to answer, so when time is up only
    a connection is closed whose request is still in its headers, or was answered before all of its body came. A client
    that reads nothing for as long is given up too.
    """

    request_seconds: float
    direct: Direct
    """Both set by ``connection_class``."""

    _in_headers = False
    _in_request = False
    _header_bytes = 0
    _refused = False
    _awaits_direct = False
    _direct_body: list[bytes] | None = None
    _started_at = 0.0
    _timer: asyncio.TimerHandle | None = None
    _idle_timer: asyncio.TimerHandle | None = None
    _idle_since: float | None = None
    _told_headers: list[tuple[bytes, bytes]] | None = None
    _told = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as Uvicorn's own
        super().connection_made(transport)
        # Uvicorn starts the keep-alive timeout after a first answer; without one a connection would stay for ever.
        self._idle_since = self.loop.time()
        self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._end_idleness)
        if sys.platform == "linux":
            # A closed connection stays as long as its client reads nothing of what is still to be sent.
            limit_milliseconds = int(self.request_seconds * 1000)
            connected: socket.socket = transport.get_extra_info("socket")
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_milliseconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._give_up_waiting()  # so that the request is counted and logged
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._idle_since = None
        if self._in_headers:
            self._header_bytes += len(data)
        elif not self._in_request and data.find(b"pgrade:", 0, data.find(b"\r\n\r\n")) >= 0:
            data = _without_upgrade(data)
        super().data_received(data)
        if self._direct_body is not None and not self._may_wait_for_rest(self._direct_body):
            self._give_up_waiting()
        if self._in_headers and self._header_bytes > HEADERS_LIMIT_BYTES:
            self._refuse(HEADERS_TOO_LARGE)
        elif self._in_request and self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self.request_seconds, self._expire)

    def on_message_begin(self) -> None:
        self._in_headers = self._in_request = True
        self._header_bytes = 0
        if self._awaits_direct:  # a pipelined request: the one before is to be answered before it
            self.direct.answer_all()
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        self._in_headers = False
        if self._may_go_direct():
            self._started_at = time.perf_counter()
            self._direct_body = []
        else:
            self._begin_general()

    def on_body(self, body: bytes) -> None:
        if self._direct_body is None:
            super().on_body(body)
        else:
            self._direct_body.append(body)

    def on_message_complete(self) -> None:
        self._in_request = False
        self._unwatch()
        if self._direct_body is None:
            super().on_message_complete()
            return
        body = b"".join(self._direct_body)
        self._direct_body = None
        self._awaits_direct = True
        self.direct.take(self, dict(self.headers), body, self._started_at)

    def shutdown(self) -> None:
        if self._awaits_direct:
            self.direct.answer_all()
        self._give_up_waiting()
        super().shutdown()

    def address(self) -> str | None:
        """See ``Client``, as for the methods below."""
        return self.client[0] if self.client else None

    def answer(self, head: bytes, body: bytes) -> None:
        self._awaits_direct = False
        if self.transport.is_closing():  # a client that has gone must not keep others of its turn from their answers
            return
        if self._told_headers is not self.server_state.default_headers:  # made anew every second
            self._told_headers = self.server_state.default_headers
            self._told = _STATUS_OK + b"".join([b"%s: %s\r\n" % header for header in self._told_headers])
        self.transport.write(b"".join((self._told, head, body)))
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()

    def pass_on(self, body: bytes, decoded: Decoded | None = None) -> None:
        self._awaits_direct = False
        if self.transport.is_closing():
            return
        self._begin_general(self._started_at)
        if decoded is not None:
            self.scope["decoded"] = decoded  # type: ignore[typeddict-unknown-key]  # read by Predict
        elif body:
            super().on_body(body)
        super().on_message_complete()

    def _may_go_direct(self) -> bool:
        """Whether nothing of the request's head or of the connection's state needs the general way."""
        return (
            self.url == _PREDICT_URL
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.expect_100_continue
            and (self.cycle is None or self.cycle.response_complete)
        )

    def _may_wait_for_rest(self, body: list[bytes]) -> bool:
        return self.direct.may_take(dict(self.headers), sum(map(len, body)))

    def _give_up_waiting(self) -> None:
        """Hands on to ASGI what came so far of a request that did not arrive whole."""
        if self._direct_body is not None:
            body = b"".join(self._direct_body)
            self._direct_body = None
            self._begin_general(self._started_at)
            if body:
                super().on_body(body)

    def _begin_general(self, started_at: float | None = None) -> None:
        """Makes the scope, which Uvicorn would make for every request at its begin."""
        url, headers, expect_100_continue = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect_100_continue
        self.headers += headers  # the list that the scope holds
        if started_at is not None:
            self.scope["started_at"] = started_at  # type: ignore[typeddict-unknown-key]  # read by Exchange
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # always the same text
        """Called by Uvicorn for what is not HTTP, which gets a problem document like any other fault."""
        self._refuse(NOT_HTTP)

    def _end_idleness(self) -> None:
        """Closes the connection if nothing came since the last answer, for as long as the keep-alive timeout.

        One timer for all answers given here: starting and stopping one for each would cost as much as parsing does.
        """
        now = self.loop.time()
        idle_seconds = 0.0 if self._idle_since is None else now - self._idle_since
        if idle_seconds >= self.timeout_keep_alive:
            self.timeout_keep_alive_handler()
        else:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive - idle_seconds, self._end_idleness)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        if self._direct_body is not None:
            self._give_up_waiting()  # there, its time is up as well
        elif self._in_headers or self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _refuse(self, kind: Kind) -> None:
        """Answers and closes; only closes where another answer is under way."""
        request_id = uuid.uuid4().hex
        fields = {"event": "request_refused", "request_id": request_id, "status": kind.status, "reason": kind.name}
        _LOGGER.info("request refused", extra=fields)
        self._unwatch()
        self._refused = True
        self._direct_body = None
        if self.pipeline:  # an answer to a request before the last is under way, and this one would come ahead of it
            self.transport.close()
            return
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


def connection_class(request_seconds: float, direct: Direct) -> type[Connection]:
    """The class for Uvicorn's configuration, which takes a class and gives it no settings of ours."""
    return type("Connection", (Connection,), {"request_seconds": request_seconds, "direct": direct})


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
