"""The application: FastAPI with our routes, our middleware, and the loader's life beside it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.bundle import Manifest
from service.direct import Direct
from service.drain import Drain
from service.errors import AlphardError
from service.loader import Loader
from service.middleware import AnswerCheckMiddleware, CheckAnswer, ExchangeMiddleware
from service.openapi import openapi_document
from service.problems import problem_of
from service.routes import PREDICT_PATH, Predict, routes
from service.settings import Settings
from service.telemetry import Metrics
from service.telemetry.logs import SERVICE, AccessLog, Output

NAMESPACE = "Alphard"
_LOGGER = logging.getLogger("alphard.app")
_NO_TELEMETRY_OF_ITS_OWN: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class Application(FastAPI):
    """FastAPI, whose description is typed by the model that is loaded.

    A prediction passes through ``gate``, as everything does, and then goes straight to its route: what FastAPI puts
    between costs as much as all the rest of a small prediction.
    """

    def __init__(
        self, loader: Loader, predict: Predict, direct: Direct, gate: Callable[[ASGIApp], ASGIApp], **options: Any
    ) -> None:
        self.direct = direct
        """The shorter way for ordinary predictions, for a server that knows how to take it."""
        self._loader = loader
        self._predict = predict
        self._gate = gate
        self._described: Manifest | None = None
        self._description = openapi_document(None)
        super().__init__(**options)

    def build_middleware_stack(self) -> ASGIApp:
        others, predict = super().build_middleware_stack(), self._predict

        def choose(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            straight = scope["type"] == "http" and scope["path"] == PREDICT_PATH and scope["method"] == "POST"
            return (predict if straight else others)(scope, receive, send)

        return self._gate(choose)

    def openapi(self) -> dict[str, Any]:
        """The description, made once for each model."""
        model = self._loader.status.model
        manifest = None if model is None else model.manifest
        if manifest is not self._described:
            self._described, self._description = manifest, openapi_document(manifest)
        return self._description


def create_app(
    settings: Settings,
    loader: Loader,
    metrics: Metrics,
    *,
    drain: Drain | None = None,
    output: Output | None = None,
    check_answer: CheckAnswer | None = None,
) -> Application:
    """The application. Its lifespan runs the loader and flushes the metrics.

    ``drain`` is begun by whoever stops the server. Lines go to ``output``, by default standard output.
    ``check_answer`` sees every answer while it can still be another.
    """
    drain = drain or Drain(settings.drain_hold_seconds)
    output = output or Output(settings.log_format)
    access_log = AccessLog(output, settings.log_level)
    predict = Predict(loader, max_body_bytes=settings.max_body_bytes, max_rows=settings.max_rows)
    exchange = partial(
        ExchangeMiddleware,
        metrics=metrics,
        access_log=access_log,
        drain=drain,
        deadline_seconds=settings.request_deadline_seconds,
        current_version=lambda: None if (model := loader.status.model) is None else model.manifest.version,
    )

    def gate(app: ASGIApp) -> ASGIApp:
        return exchange(app if check_answer is None else AnswerCheckMiddleware(app, check_answer))

    return Application(
        loader,
        predict,
        Direct(predict, loader, metrics=metrics, access_log=access_log, drain=drain),
        gate,
        routes=routes(predict, loader, metrics, drain),
        openapi_url="/openapi.json",
        docs_url="/docs",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY_OF_ITS_OWN,
        exception_handlers=dict.fromkeys((AlphardError, HTTPException, Exception), _answer_problem),
        lifespan=lambda _: _lifespan(settings, loader, metrics, output, access_log),
    )


async def _answer_problem(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    return Response(
        problem.encode(request.scope["exchange"].request_id), problem.kind.status, headers=problem.all_headers()
    )


@asynccontextmanager
async def _lifespan(
    settings: Settings, loader: Loader, metrics: Metrics, output: Output, access_log: AccessLog
) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_run(loader))]
    flushed = settings.metrics_flush_seconds > 0 and settings.log_format == "json"
    if flushed:
        tasks.append(asyncio.create_task(_flush_for_ever(metrics, output, settings.metrics_flush_seconds)))
    yield
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
    access_log.write_kept()
    if flushed:
        flush(metrics, output, time.time())


async def _run(loader: Loader) -> None:
    """The loader says itself what goes wrong; that it ends at all is a fault, after which a loaded model serves on."""
    try:
        await loader.run()
    except Exception:
        _LOGGER.exception("loader stopped", extra={"event": "loader_stopped"})


async def _flush_for_ever(metrics: Metrics, output: Output, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        flush(metrics, output, time.time())


def flush(metrics: Metrics, output: Output, at: float) -> None:
    """Writes what came since the last flush, as of this time in seconds since the epoch."""
    for line in metrics.flush(namespace=NAMESPACE, service=SERVICE, timestamp_ms=int(at * 1000)):
        output.line(line.decode())
