"""The same application as a Lambda function, by Mangum; ``service.lambda_handler.handler`` is what the runtime calls.

An execution environment runs while it starts and while it answers a request, and is frozen between: see
``service.upkeep``.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.handlers.alb import ALB, transform_headers
from mangum.types import ASGI, LambdaContext, LambdaEvent, Message, Receive, Scope, Send

from service.app import create_app
from service.errors import AlphardError, SettingsError, TooLargeError, UsageError
from service.lambda_shutdown import on_shutdown
from service.loader import Loader
from service.problems import MEDIA_TYPE
from service.settings import Settings, read_settings
from service.telemetry import Metrics
from service.telemetry.logs import Output, configure_logging
from service.upkeep import LOAD_WAIT_SECONDS, Flusher, Follower

INIT_SECONDS = 8.0
"""Of the ten seconds after which Lambda starts an environment all over, how many may pass before it is declared ready.
A load that takes longer goes on under the first requests."""

PROVISIONED_INIT_SECONDS = 120.0
"""The same where concurrency is provisioned, for which Lambda allows 130 s."""

ALB_ANSWER_BYTES = 1_000_000
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html (limits)."""

LAMBDA_ANSWER_BYTES = 6_000_000
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (invocation payload)."""

_ENVELOPE_BYTES = 8 * 1024  # the rest of the document that the body stands in: status and headers
_BASE64_GROWTH = 4 / 3
_OF_SERVER = {"host", "x-forwarded-port"}
_LOGGER = logging.getLogger("alphard.lambda")


class LoadBalancerEvent(ALB):
    """Mangum's, for whatever host a client names: Mangum makes a number of what follows the colon, and fails on others.

    The server's name and port, which Mangum takes from these headers, are asked for by nobody.
    """

    @property
    def scope(self) -> Any:
        key = "multiValueHeaders" if "multiValueHeaders" in self.event else "headers"
        headers = {name: value for name, value in self.event[key].items() if name.lower() not in _OF_SERVER}
        named = ALB({**self.event, key: headers}, self.context, self.config).scope
        return {**named, "headers": transform_headers(self.event), "aws.event": self.event}


class Handler:
    """An execution environment: one event loop, one application and one model for all of its requests."""

    def __init__(self, settings: Settings, loader: Loader, metrics: Metrics, output: Output) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)  # where Mangum looks for it
        self._follower = Follower(loader)
        self._flusher = Flusher(metrics, output, settings.metrics_flush_seconds if settings.log_format == "json" else 0)
        app = create_app(settings, loader, metrics, output=output, check_answer=check_answer)
        # Without the lifespan, whose tasks count on a loop that always runs.
        self._answer = Mangum(
            _leave_out_bodies_of_head(app),
            lifespan="off",
            custom_handlers=[LoadBalancerEvent],
            text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE],
        )

    def load(self, seconds: float) -> None:
        """Loads the model, for as long as this at most; what is left goes on under the first requests."""
        self._loop.run_until_complete(self._follower.follow(seconds))
        self._follower.leave()
        self._flusher.note()

    def __call__(self, event: LambdaEvent, context: LambdaContext) -> dict[str, Any]:
        """Answers a request that comes as an event of a load balancer, a function URL or API Gateway."""
        self._flusher.flush_old()
        if not self._follower.is_idle():
            self._loop.run_until_complete(self._follower.follow(LOAD_WAIT_SECONDS))
        answer = self._answer(event, context)
        self._follower.leave()
        self._flusher.note()
        self._flusher.flush_due()
        return answer

    def end(self) -> None:
        """Writes the last figures; the environment is about to go."""
        self._flusher.flush()


def check_answer(scope: Scope, body: bytes) -> None:
    """Raises TooLargeError for an answer of which a balancer would make a 502.

    What counts is the document that the body stands in as a JSON string, or as base64 where it is no text.
    """
    limit = ALB_ANSWER_BYTES if "elb" in scope["aws.event"]["requestContext"] else LAMBDA_ANSWER_BYTES
    size = _encoded_bytes(body) + _ENVELOPE_BYTES
    if size <= limit:
        return
    if scope["method"] != "POST":
        raise AlphardError(f"the answer takes {size} bytes, and {limit} can be sent")
    raise TooLargeError(f"the answer would take {size} bytes, and {limit} can be sent: send fewer rows in one request")


def _encoded_bytes(body: bytes) -> int:
    if len(body) * 6 < ALB_ANSWER_BYTES - _ENVELOPE_BYTES:  # no byte takes more than six, as \u0000
        return len(body)
    try:
        return len(json.dumps(body.decode()))
    except UnicodeDecodeError:
        return int(len(body) * _BASE64_GROWTH) + 1


def _leave_out_bodies_of_head(app: ASGI) -> ASGI:
    """As an HTTP server does by itself."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await app(scope, receive, send_head if scope["method"] == "HEAD" else send)

    return answer


@cache
def _start() -> Handler:
    """The environment's handler, its model loaded unless that takes too long.

    Ends the process with one line if the settings are wrong: there is nobody to whom an error could be raised.
    """
    output = configure_logging("INFO", "json")
    try:
        settings = read_settings(os.environ)
        output = configure_logging(settings.log_level, settings.log_format)
        metrics = Metrics()
        loader = _loader(settings, metrics)
    except SettingsError as error:
        _LOGGER.critical("settings refused", extra={"event": "settings_refused", "detail": str(error)})
        sys.exit(2)
    handler = Handler(settings, loader, metrics, output)
    on_shutdown(handler.end)
    handler.load(_init_seconds_left())
    return handler


def _loader(settings: Settings, metrics: Metrics) -> Loader:
    try:
        return Loader(
            settings.model_uri,
            metrics=metrics,
            poll_seconds=settings.poll_seconds,
            load_deadline_seconds=settings.load_deadline_seconds,
        )
    except UsageError as error:
        raise SettingsError(f"ALPHARD_MODEL_URI: {error}") from error


def _init_seconds_left() -> float:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency":
        return PROVISIONED_INIT_SECONDS - _age_seconds()
    return INIT_SECONDS - _age_seconds()


def _age_seconds() -> float:
    """How long ago this process was started, whatever it has done since: the 22nd field of stat, proc(5)."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def __getattr__(name: str) -> Handler:
    """``handler``: the runtime asks for it once, in its init phase, and importing this module alone starts nothing."""
    if name == "handler":
        return _start()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
