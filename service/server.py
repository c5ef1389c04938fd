"""Uvicorn with our settings, and the order in which a task ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import uvicorn

from service.app import Application, create_app
from service.connection import connection_class
from service.drain import Drain
from service.loader import Loader
from service.settings import Settings
from service.telemetry import Metrics
from service.telemetry.logs import Output, configure_logging

_LOGGER = logging.getLogger("alphard.server")
_WORKER = "alphard-worker"
_WORKERS_POLLS = 20
_WORKERS_POLL_SECONDS = 0.05


class Server(uvicorn.Server):
    """Holds on after SIGTERM, and only then stops as Uvicorn does.

    The first SIGTERM begins the drain: readiness fails, answers close their connections, everything is served. When the
    hold is over, or at a second signal, Uvicorn closes its listening socket, and requests in flight have the graceful
    timeout to finish. SIGINT, from a terminal, skips the hold; another one skips the wait. Signals are not raised again
    afterwards, as Uvicorn would do: a drained task has ended well.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain
        self._announced = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # a signal handler's form
        """Called as a signal handler: nothing here may write a line."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        elif self._drain.active or sig == signal.SIGINT:
            self._drain.hasten()
        else:
            self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        if self._drain.active and not self._announced:
            self._announced = True
            _LOGGER.info("draining", extra={"event": "draining"})
        if self._drain.over:
            self.should_exit = True
        return await super().on_tick(counter)


def serve(settings: Settings) -> int:
    """Loads the model that the settings name and serves it until a signal; the exit status of the process.

    Raises UsageError if the settings' URI names no model.
    """
    output = configure_logging(settings.log_level, settings.log_format)
    metrics = Metrics()
    loader = Loader(
        settings.model_uri,
        metrics=metrics,
        poll_seconds=settings.poll_seconds,
        load_deadline_seconds=settings.load_deadline_seconds,
    )
    return run(settings, loader, metrics, output)


def run(settings: Settings, loader: Loader, metrics: Metrics, output: Output) -> int:
    """Serves what the loader loads until a signal: 0 after a drain, 1 if the start failed."""
    drain = Drain(settings.drain_hold_seconds)
    app = create_app(settings, loader, metrics, drain=drain, output=output)
    server = Server(uvicorn_config(app, settings), drain)
    try:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(_serve(server))
    except SystemExit:  # Uvicorn's way out of a start that failed, after saying why
        return 1
    return 0


def uvicorn_config(app: Application, settings: Settings) -> uvicorn.Config:
    """One worker, no line or header of Uvicorn's own, and none of its limits on concurrency."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=connection_class(settings.request_deadline_seconds, app.direct),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.graceful_timeout_seconds,
        reset_contextvars=True,
    )


async def _serve(server: Server) -> None:
    workers = ThreadPoolExecutor(thread_name_prefix=_WORKER)
    asyncio.get_running_loop().set_default_executor(workers)
    await server.serve()
    workers.shutdown(wait=False, cancel_futures=True)
    await _leave_workers()


async def _leave_workers() -> None:
    """Ends the process if a worker is stuck in a call that nothing can stop, such as a slow download.

    Python itself would wait for it until the task is killed.
    """
    for _ in range(_WORKERS_POLLS):
        if not any(thread.name.startswith(_WORKER) for thread in threading.enumerate()):
            return
        await asyncio.sleep(_WORKERS_POLL_SECONDS)
    _LOGGER.warning("a worker is left behind", extra={"event": "worker_left_behind"})
    logging.shutdown()
    os._exit(0)
