"""The HTTP interface: each route translates and delegates."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import orjson
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from service.codec import Decoder, Request, encode_answers
from service.codec.columns import quote
from service.drain import Drain
from service.errors import MediaTypeError, NotReadyError, TooLargeError
from service.loader import Loader
from service.middleware import Exchange
from service.model import Model
from service.telemetry import Metrics

PREDICT_PATH = "/predict"
INLINE_BYTES = 512 * 1024
"""A body larger than this is decoded in a thread: it takes a millisecond and more, in which others would wait."""

_CARD = {
    "name",
    "version",
    "created_at",
    "task",
    "estimator",
    "engine",
    "signature",
    "parity",
    "metrics",
    "tags",
    "versions",
}


class Decoded(NamedTuple):
    """A request that came whole, in so many bytes, and what it asks of which model."""

    model: Model
    request: Request
    size: int


class Predict:
    """``POST /predict``, a plain ASGI application: nothing between the server and the model but decoding.

    A server that has decoded a request already says so in the scope, under ``decoded``.
    """

    def __init__(self, loader: Loader, *, max_body_bytes: int, max_rows: int) -> None:
        self._loader = loader
        self._max_body_bytes = max_body_bytes
        self.inline_bytes = min(INLINE_BYTES, max_body_bytes)
        """Up to so many, a body is decoded in the event loop."""
        self._max_rows = max_rows
        self._decoders: WeakKeyDictionary[Model, Decoder] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope["exchange"]
        decoded: Decoded | None = scope.get("decoded")
        if decoded is None:
            decoded = await self._decode(exchange, receive)
        else:
            exchange.bytes_in, exchange.received = decoded.size, True
        model, request, _ = decoded
        exchange.model_version = model.manifest.version
        exchange.rows = len(request.rows.numbers)
        answers = await model.predict(
            request.rows,
            probabilities=request.probabilities,
            decision_values=request.decision_values,
            deadline=exchange.deadline,
        )
        await _send_json(send, encode_answers(answers, model.manifest, legacy=request.legacy))

    async def _decode(self, exchange: Exchange, receive: Receive) -> Decoded:
        _check_media_type(exchange.headers)
        body = await _read_body(exchange.headers, receive, self._max_body_bytes)
        model = self._loader.current
        exchange.model_version = model.manifest.version
        decode = self._decoder(model).request
        if len(body) <= INLINE_BYTES:
            request = decode(body, max_rows=self._max_rows)
        else:
            request = await asyncio.to_thread(decode, body, max_rows=self._max_rows)
        return Decoded(model, request, len(body))

    def plain_request(self, model: Model, body: bytes) -> Request | None:
        """See ``Decoder.plain_request``."""
        return self._decoder(model).plain_request(body, max_rows=self._max_rows)

    def _decoder(self, model: Model) -> Decoder:
        decoder = self._decoders.get(model)
        if decoder is None:
            decoder = self._decoders[model] = Decoder(model.manifest.signature)
        return decoder


def routes(predict: Predict, loader: Loader, metrics: Metrics, drain: Drain) -> list[Route]:
    """All routes but those of the documentation."""

    async def live(_: HttpRequest) -> Response:
        return _json({"status": "live"})

    async def ready(_: HttpRequest) -> Response:
        return _json(_readiness(loader, drain))

    async def card(_: HttpRequest) -> Response:
        return _json(loader.current.manifest.model_dump(mode="json", include=_CARD))

    async def figures(_: HttpRequest) -> Response:
        return Response(metrics.prometheus(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route(PREDICT_PATH, predict, methods=["POST"]),
        Route("/ready", ready),
        Route("/live", live),
        Route("/health", ready),
        Route("/model", card),
        Route("/metrics", figures),
    ]


def _readiness(loader: Loader, drain: Drain) -> dict[str, Any]:
    if drain.active:
        raise NotReadyError("draining", "the task is going away")
    manifest = loader.current.manifest
    found: dict[str, Any] = {"status": "ready", "model": {"name": manifest.name, "version": manifest.version}}
    if rejected := loader.status.rejected:
        found["rejected"] = {"version": rejected.version, "detail": rejected.detail}
    return found


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")


async def _send_json(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _check_media_type(headers: dict[bytes, bytes]) -> None:
    """No content type at all is taken for JSON. Raises MediaTypeError."""
    declared = headers.get(b"content-type", b"application/json")
    if declared != b"application/json" and not _is_json(declared.decode("latin-1").lower()):
        shown = quote(declared.decode("latin-1"))
        raise MediaTypeError(
            f"send the body as application/json in UTF-8, with a Content-Type that says so, not {shown}"
        )
    if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
        raise MediaTypeError("send the body as it is, without a content encoding")


def _is_json(declared: str) -> bool:
    media_type, *parameters = (part.strip() for part in declared.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            return False
    return media_type == "application/json" or ("/" in media_type and media_type.endswith("+json"))


async def _read_body(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """Raises TooLargeError as soon as the body is known to be over ``limit``, ClientDisconnect if it never ends."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise _too_large(limit)
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than {limit} bytes")
