"""What every request goes through: an id, a deadline, an answer when something goes wrong, and a line in the log."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.drain import Drain
from service.problems import FAILED, LATE, SLOW, STOPPED, ProblemDocument, problem_of
from service.telemetry import Metrics
from service.telemetry.logs import AccessLog, request_id

_LOGGER = logging.getLogger("alphard.http")
_SAFE_ID = re.compile(r"[A-Za-z0-9._:/=+@-]{1,128}")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")
_CLIENT_GONE = 499  # no answer was sent; the status that proxies log for it
_PROBES = frozenset({"/live", "/ready", "/health"})
# A path that is none of these was made up by a client, and is no label.
_ROUTES = _PROBES | {"/predict", "/model", "/metrics", "/docs", "/openapi.json"}
_PATH_LIMIT = 256
_CLOSE = (b"connection", b"close")

CurrentVersion = Callable[[], str | None]
CheckAnswer = Callable[[Scope, bytes], None]


class Exchange:
    """One request and its response while they pass. Routes note in it what only they know."""

    rows: int | None = None
    model_version: str | None = None
    status: int | None = None
    received = False
    expired = False
    bytes_in = 0
    bytes_out = 0

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        drain: Drain,
        current_version: CurrentVersion,
        deadline_seconds: float,
    ) -> None:
        # A server that held the request back before it handed it on says in the scope since when.
        self.started_at: float = scope.get("started_at") or time.perf_counter()
        self.deadline = self.started_at + deadline_seconds
        """When its time is up, in seconds of ``time.perf_counter``, as when it started."""
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.request_id = request_id_of(self.headers)
        self._receive = receive
        self._send = send
        self._drain = drain
        self._current_version = current_version

    def expire(self, task: asyncio.Task[Any] | None) -> None:
        """Ends the task that answers, because its time is up."""
        if task is not None:
            self.expired = True
            task.cancel()

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.bytes_in += len(message.get("body", b""))
            self.received = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._added_headers()]
        else:
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)

    def _added_headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"x-request-id", self.request_id.encode())]
        if version := self.model_version or self._current_version():
            headers.append((b"x-model-version", version.encode()))
        # A client that waits for 100 Continue and is answered otherwise may send its body or leave it out: only closing
        # keeps both sides in step.
        if self._drain.active or (b"expect" in self.headers and not self.received):
            headers.append(_CLOSE)
        return headers

    async def send_problem(self, problem: ProblemDocument) -> None:
        """Answers with the problem, unless an answer has begun."""
        if self.status is not None:
            return
        body = problem.encode(self.request_id)
        headers = [(key.lower().encode(), value.encode()) for key, value in problem.all_headers().items()]
        headers.append((b"content-length", b"%d" % len(body)))
        await self.send({"type": "http.response.start", "status": problem.kind.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def fields(self, seconds: float) -> dict[str, Any]:
        """What the log says of it."""
        peer = self.scope.get("client")
        return request_fields(
            request_id=self.request_id,
            method=self.scope["method"],
            path=self.scope["path"][:_PATH_LIMIT],
            status=self.status or _CLIENT_GONE,
            seconds=seconds,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            rows=self.rows,
            model_version=self.model_version,
            client=client_address(self.headers, str(peer[0]) if peer else None),
        )


class ExchangeMiddleware:
    """The outermost part of the application that is ours; no exception leaves it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        access_log: AccessLog,
        drain: Drain,
        deadline_seconds: float,
        current_version: CurrentVersion,
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._access_log = access_log
        self._drain = drain
        self._deadline_seconds = deadline_seconds
        self._current_version = current_version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = Exchange(
            scope,
            receive,
            send,
            drain=self._drain,
            current_version=self._current_version,
            deadline_seconds=self._deadline_seconds,
        )
        scope["exchange"] = exchange
        bound = request_id.set(exchange.request_id)
        try:
            await self._answer(exchange)
        finally:
            self._record(exchange)
            request_id.reset(bound)

    async def _answer(self, exchange: Exchange) -> None:
        # As asyncio.timeout does, for a third of its cost.
        expire = partial(exchange.expire, asyncio.current_task())
        seconds_left = max(0.0, exchange.deadline - time.perf_counter())
        timer = asyncio.get_running_loop().call_later(seconds_left, expire)
        try:
            await self.app(exchange.scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # by the deadline, or by the server at the end of its graceful timeout
            await exchange.send_problem(_out_of_time(exchange))
        except Exception as error:
            problem = problem_of(error)
            if problem.kind is FAILED:
                _LOGGER.exception("request failed", extra={"event": "request_failed"})
            await exchange.send_problem(problem)
        finally:
            timer.cancel()

    def _record(self, exchange: Exchange) -> None:
        seconds = time.perf_counter() - exchange.started_at
        status = exchange.status or _CLIENT_GONE
        path = exchange.scope["path"]
        route = path if path in _ROUTES else "other"
        self._metrics.count("requests", route=route, status=status)
        self._metrics.observe("request", seconds, route=route)
        if exchange.rows is not None:
            self._metrics.count("rows", exchange.rows)
        if status >= 500:
            level = logging.ERROR if status == 500 else logging.WARNING
        else:
            level = logging.DEBUG if status == 200 and route in _PROBES else logging.INFO
        self._access_log.write(level, exchange.fields(seconds))


class AnswerCheckMiddleware:
    """Holds each answer until it is whole and ``check`` has seen the request's scope and the body.

    What ``check`` raises is answered in its place.
    """

    def __init__(self, app: ASGIApp, check: CheckAnswer) -> None:
        self.app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app(scope, receive, hold)
        self._check(scope, b"".join(message.get("body", b"") for message in held))
        for message in held:
            await send(message)


def _out_of_time(exchange: Exchange) -> ProblemDocument:
    kind = STOPPED if not exchange.expired else LATE if exchange.received else SLOW
    return ProblemDocument(kind, f"{kind.title}; sending it again may help.")


def request_fields(
    *,
    request_id: str,
    method: str,
    path: str,
    status: int,
    seconds: float,
    bytes_in: int,
    bytes_out: int,
    rows: int | None,
    model_version: str | None,
    client: str | None,
) -> dict[str, Any]:
    """The keys of a request's line. Neither the query nor a value of the body is among them."""
    fields: dict[str, Any] = {
        "request_id": request_id,
        "method": method,
        "path": path,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
    }
    if rows is not None:
        fields["rows"] = rows
    if model_version is not None:
        fields["model_version"] = model_version
    if client:
        fields["client"] = client
    return fields


def client_address(headers: dict[bytes, bytes], peer: str | None) -> str | None:
    """The last address in X-Forwarded-For is the one that the balancer saw; without one, the peer's own."""
    if forwarded := headers.get(b"x-forwarded-for"):
        last = forwarded.rpartition(b",")[2].strip().decode("latin-1")
        if _ADDRESS.fullmatch(last):
            return last
    return peer


def request_id_of(headers: dict[bytes, bytes]) -> str:
    """The balancer's trace id, else the client's own id, else a new one."""
    if trace := headers.get(b"x-amzn-trace-id"):
        parts = dict(part.strip().partition("=")[::2] for part in trace.decode("latin-1").split(";"))
        found = parts.get("Root") or parts.get("Self") or ""
        if _SAFE_ID.fullmatch(found):
            return found
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    # It guards nothing, and the system's own randomness costs a system call.
    return given if _SAFE_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
