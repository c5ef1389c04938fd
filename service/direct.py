"""Ordinary predictions answered between the parser and the socket, those of one turn of the event loop together.

Most of what a small prediction costs on the way through ASGI is not the prediction: a task, a scope, an event, two
writes. So a request for ``/predict`` in which everything is in order, and that takes the engine less than a turn of the
event loop may take, is answered here. Whatever is not so goes the general way, which answers the same, and also
everything else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from service.batching import Wanted
from service.codec import Request, encode_answers
from service.drain import Drain
from service.loader import Loader
from service.middleware import client_address, request_fields, request_id_of
from service.model import Model
from service.routes import PREDICT_PATH, Decoded, Predict
from service.telemetry import Metrics
from service.telemetry.logs import AccessLog

KEPT_SECONDS, KEPT_LINES = 0.02, 16
"""How long a request's line may wait to be written with others, and with how many. A process that is killed takes so
much with it; and more at once would hold up requests."""

_HEAD = b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\nx-model-version: %s\r\n\r\n"
_JSON = (None, b"application/json")


class Client(Protocol):
    """The connection that a request came on."""

    def address(self) -> str | None:
        """Of the peer."""
        ...

    def answer(self, head: bytes, body: bytes) -> None:
        """Writes a response with status 200; ``head`` are its headers from the content type on."""
        ...

    def pass_on(self, body: bytes, decoded: Decoded | None = None) -> None:
        """Has the request answered the general way, which need not decode it again if it is given ``decoded``."""
        ...


class _Waiting(NamedTuple):
    client: Client
    headers: dict[bytes, bytes]
    body: bytes
    started_at: float
    model: Model
    request: Request
    rows: int
    wanted: Wanted


class Direct:
    """Takes requests, and answers all that it took once the turn of the event loop is over.

    They share calls of the engine, as long as these are short: nobody waits for a timer, nor long for others.
    """

    def __init__(
        self,
        predict: Predict,
        loader: Loader,
        *,
        metrics: Metrics,
        access_log: AccessLog,
        drain: Drain,
    ) -> None:
        self._predict = predict
        self._loader = loader
        self._metrics = metrics
        self._access_log = access_log
        self._drain = drain
        self._waiting: list[_Waiting] = []
        self._scheduled = False
        self._writing: asyncio.TimerHandle | None = None

    def may_take(self, headers: dict[bytes, bytes], received: int) -> bool:
        """Whether it makes sense to wait for the rest of a body of which so many bytes came.

        If not, the general way knows what to say before all of it is here. Headers' names are in lower case.
        """
        size = max(received, int(headers.get(b"content-length", received)))
        return size <= self._predict.inline_bytes and self._model(headers) is not None

    def take(self, client: Client, headers: dict[bytes, bytes], body: bytes, started_at: float) -> None:
        """Answers the request at the end of this turn, or passes it on at once."""
        model = self._model(headers)
        request = None
        if model is not None and len(body) <= self._predict.inline_bytes:
            request = self._predict.plain_request(model, body)
        if model is None or request is None:
            client.pass_on(body)
            return
        rows = len(request.rows.numbers)
        if not model.is_instant(rows):
            client.pass_on(body, Decoded(model, request, len(body)))
            return
        wanted = Wanted(request.probabilities, request.decision_values)
        self._waiting.append(_Waiting(client, headers, body, started_at, model, request, rows, wanted))
        self._schedule()

    def answer_all(self) -> None:
        """Answers what was taken until now, at once."""
        while self._waiting:
            self._answer(self._next_batch())

    def _model(self, headers: dict[bytes, bytes]) -> Model | None:
        """The model that answers here a request with these headers, if any does."""
        if self._drain.active or headers.get(b"content-type") not in _JSON or b"content-encoding" in headers:
            return None
        return self._loader.status.model

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Answers one batch; others have their turn before the next."""
        self._scheduled = False
        if self._waiting:
            batch = self._next_batch()
            if self._waiting:
                self._schedule()
            self._answer(batch)

    def _next_batch(self) -> list[_Waiting]:
        """The first that waits, and with it those that want the same of the same model, as many as the engine answers
        within ``INLINE_SECONDS``."""
        first, *others = self._waiting
        model, wanted = first.model, first.wanted
        batch, rest, room = [first], [], model.inline_batch_rows - first.rows
        for each in others:
            if each.rows <= room and each.model is model and each.wanted == wanted:
                batch.append(each)
                room -= each.rows
            else:
                rest.append(each)
        self._waiting = rest
        return batch

    def _answer(self, batch: Sequence[_Waiting]) -> None:
        model = batch[0].model
        try:
            answers = model.answer([each.request.rows for each in batch], batch[0].wanted)
            bodies = [encode_answers(answer, model.manifest) for answer in answers]
        except Exception:  # whose fault it is, and what is to be said of it, the general way finds out one by one
            for each in batch:
                each.client.pass_on(each.body, Decoded(each.model, each.request, len(each.body)))
            return
        self._send(batch, bodies)

    def _send(self, batch: Sequence[_Waiting], bodies: Sequence[bytes]) -> None:
        version = batch[0].model.manifest.version.encode()
        ids = [request_id_of(each.headers) for each in batch]
        for each, body, request_id in zip(batch, bodies, ids, strict=True):
            each.client.answer(_HEAD % (len(body), request_id.encode(), version), body)
        self._record(batch, ids, [len(body) for body in bodies])

    def _record(self, batch: Sequence[_Waiting], ids: Sequence[str], sizes: Sequence[int]) -> None:
        now = time.perf_counter()
        seconds = [now - each.started_at for each in batch]
        self._metrics.count("requests", len(batch), route=PREDICT_PATH, status=200)
        self._metrics.count("rows", sum(each.rows for each in batch))
        self._metrics.observe("request", *seconds, route=PREDICT_PATH)
        self._access_log.keep(
            request_fields(
                request_id=ids[i],
                method="POST",
                path=PREDICT_PATH,
                status=200,
                seconds=seconds[i],
                bytes_in=len(each.body),
                bytes_out=sizes[i],
                rows=each.rows,
                model_version=each.model.manifest.version,
                client=client_address(each.headers, each.client.address()),
            )
            for i, each in enumerate(batch)
        )
        if self._access_log.kept >= KEPT_LINES:
            self._access_log.write_kept()
        elif self._writing is None:
            self._writing = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._write_lines)

    def _write_lines(self) -> None:
        self._writing = None
        self._access_log.write_kept()
