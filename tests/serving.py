"""Test tools of the HTTP service: a model and a loader that need no files, and a real server on a free port."""

from __future__ import annotations

import asyncio
import io
import json
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from typing import Any, NamedTuple

import numpy as np
from starlette.types import Message, Receive

from service.app import Application, create_app
from service.bundle import Answers, Manifest, Rows
from service.drain import Drain
from service.errors import NotReadyError
from service.loader import Loader, Status
from service.model import Model
from service.server import Server, run, uvicorn_config
from service.settings import Settings
from service.telemetry import Metrics
from service.telemetry.logs import Output, configure_logging
from tests.service.manifests import manifest

ROW = [3, None, True, "Rome", "new"]
WAIT_SECONDS = 60.0


class FakeModel(Model):
    """Answers its version and the rooms of each row; ``before`` runs first, and may wait or fail."""

    def __init__(self, of: Manifest | None = None) -> None:
        self.manifest = of or manifest()
        self.manifest_sha256 = "0" * 64
        self.before: Callable[[Rows], Any] | None = None

    def is_instant(self, _rows: int) -> bool:
        """Never, for it may be told to wait."""
        return False

    async def predict(
        self,
        rows: Rows,
        *,
        probabilities: bool = False,
        decision_values: bool = False,
        deadline: float = math.inf,  # noqa: ARG002  # each is answered alone
    ) -> Answers:
        if self.before is not None:
            waited = self.before(rows)
            if asyncio.iscoroutine(waited):
                await waited
        count = len(rows.numbers)
        return Answers(
            np.array([f"{self.manifest.version}:{number[0]:g}" for number in rows.numbers], object),
            np.full((count, 2), 0.5) if probabilities else None,
            rows.numbers[:, 0] if decision_values else None,
        )


class FakeLoader(Loader):
    """Serves whatever its status says; the test is its only writer."""

    def __init__(self, status: Status | None = None) -> None:
        self.now = status or Status(FakeModel(), None, None)
        self.started = self.cancelled = False

    @property
    def status(self) -> Status:
        return self.now

    @property
    def current(self) -> Model:
        if self.now.model is None:
            raise NotReadyError(self.now.reason or "", self.now.detail or "")
        return self.now.model

    async def run(self) -> None:
        self.started = True
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled = True


def settings(**changed: Any) -> Settings:
    return Settings(model_uri="file:///models/house@production", **{"metrics_flush_seconds": 0, **changed})


class Lines(io.StringIO):
    """What a service in this process has written."""

    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


class Reply(NamedTuple):
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


class Service(NamedTuple):
    """A service in this process, and all that a test may turn or read."""

    settings: Settings
    loader: FakeLoader
    metrics: Metrics
    drain: Drain
    lines: Lines
    app: Application

    def ask(self, method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Calls the application without a server between. What is not bytes is sent as JSON."""
        return asyncio.run(self.ask_within(method, path, body, headers))

    async def ask_within(
        self, method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        chunks = [body if isinstance(body, bytes) else json.dumps(body).encode()]

        async def receive() -> Message:
            return {"type": "http.request", "body": chunks.pop()} if chunks else {"type": "http.disconnect"}

        reply = await self.call(receive, method, path, headers)
        assert reply is not None
        return reply

    async def call(
        self,
        receive: Receive,
        method: str = "POST",
        path: str = "/predict",
        headers: Mapping[str, str] | None = None,
    ) -> Reply | None:
        """The reply to a request whose body is up to ``receive``, or None if there was none."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(key.lower().encode(), value.encode()) for key, value in (headers or {}).items()],
            "client": ("10.1.2.3", 40000),
            "server": ("10.0.0.1", 8000),
        }
        await self.app(scope, receive, send)
        if not sent:
            return None
        start, *bodies = sent
        fields = {key.decode().lower(): value.decode() for key, value in start["headers"]}
        return Reply(start["status"], fields, b"".join(message["body"] for message in bodies))


class Client:
    """A client of a real server that keeps its connection."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """What is not bytes is sent as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request(method, path, sent, dict(headers or {}))
        response = self.connection.getresponse()
        fields = {key.lower(): value for key, value in response.getheaders()}
        return Reply(response.status, fields, response.read())

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def ask(port: int, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.ask(method, path, body, headers)


def make_service(*, loader: FakeLoader | None = None, **changed: Any) -> Service:
    chosen = settings(**changed)
    loader, metrics, drain, lines = loader or FakeLoader(), Metrics(), Drain(chosen.drain_hold_seconds), Lines()
    app = create_app(chosen, loader, metrics, drain=drain, output=Output(chosen.log_format, lines))
    return Service(chosen, loader, metrics, drain, lines, app)


def free_port() -> int:
    """A port on which nothing listens, and which no other call is given, in this process or in one beside it.

    Below those that the system gives to connections. It is taken by its namesake of UDP, which is held until this
    process ends and is in nobody's way.
    """
    for port in range(20_000, 30_000):
        with suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
            taken.detach()
            return port
    raise OSError("no port is free")


def until(done: Callable[[], Any], what: str) -> None:
    """Waits until it is done; fails after a while that is long enough for any machine."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < give_up_at, f"waited in vain for {what}"
        time.sleep(0.01)


@contextmanager
def serving(service: Service) -> Iterator[Server]:
    """Serves it by a real Uvicorn in a thread of this process, on the port of its configuration."""
    chosen = service.settings.model_copy(update={"host": "127.0.0.1", "port": free_port()})
    server = Server(uvicorn_config(service.app, chosen), service.drain)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server to start")
        yield server
    finally:
        server.should_exit = True
        thread.join()


class Process(NamedTuple):
    """A server process of its own."""

    popen: subprocess.Popen[str]
    port: int

    def wait(self) -> tuple[int, list[dict[str, Any]]]:
        """The exit status, and the lines that were written. The process must be about to end."""
        written, _ = self.popen.communicate(timeout=WAIT_SECONDS)
        return self.popen.returncode, [json.loads(line) for line in written.splitlines()]


@contextmanager
def spawned(**changed: Any) -> Iterator[Process]:
    """A process that serves a ``FakeModel`` until it is told to stop.

    A row's area is the milliseconds it takes; with 99 rooms, a thread that nothing can stop takes them.
    """
    chosen = settings(host="127.0.0.1", port=free_port(), **changed)
    command = [sys.executable, "-m", "tests.serving", chosen.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as popen:
        process = Process(popen, chosen.port)
        try:
            until(lambda: _answers(process), "the process to answer")
            yield process
        finally:
            popen.kill()


def _answers(process: Process) -> bool:
    assert process.popen.poll() is None, process.popen.communicate()[0]
    with suppress(OSError):
        return ask(process.port, "GET", "/ready").status == 200
    return False


async def _take_time(rows: Rows) -> None:
    rooms, milliseconds, _ = rows.numbers[0]
    if rooms == 99:
        await asyncio.to_thread(time.sleep, milliseconds / 1000)
    elif not np.isnan(milliseconds):
        await asyncio.sleep(milliseconds / 1000)


def _main(chosen: Settings) -> int:
    model = FakeModel()
    model.before = _take_time
    output = configure_logging(chosen.log_level, chosen.log_format)
    return run(chosen, FakeLoader(Status(model, None, None)), Metrics(), output)


if __name__ == "__main__":
    sys.exit(_main(Settings.model_validate_json(sys.argv[1])))
