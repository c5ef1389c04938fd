from __future__ import annotations

import asyncio
import io
import signal
import socket
import threading
from collections.abc import Callable

import pytest
from uvicorn import Config

from service.drain import Drain
from service.errors import UsageError
from service.server import Server, run, serve, uvicorn_config
from service.settings import Settings
from service.telemetry import Metrics
from service.telemetry.logs import Output
from tests.serving import FakeLoader, make_service, settings


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def make_server(hold_seconds: float) -> tuple[Server, Drain, Clock]:
    clock = Clock()
    drain = Drain(hold_seconds, clock=clock)
    return Server(Config(make_service().app, log_config=None), drain), drain, clock


def is_told_to_stop(server: Server) -> bool:
    return asyncio.run(server.on_tick(0))


@pytest.mark.parametrize("hold_seconds", [1.5, 25.0])
def test_after_sigterm_it_holds_as_long_as_it_was_told_to(hold_seconds: float) -> None:
    server, drain, clock = make_server(hold_seconds)
    assert not is_told_to_stop(server)
    server.handle_exit(signal.SIGTERM, None)
    assert drain.active
    clock.now += hold_seconds - 0.25
    assert not is_told_to_stop(server)
    clock.now += 0.25
    assert is_told_to_stop(server)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_hold(second: signal.Signals) -> None:
    server, _, _ = make_server(1000)
    server.handle_exit(signal.SIGTERM, None)
    assert not is_told_to_stop(server)
    server.handle_exit(second, None)
    assert is_told_to_stop(server)


def test_sigint_skips_the_hold_and_another_one_the_wait() -> None:
    server, drain, _ = make_server(1000)
    server.handle_exit(signal.SIGINT, None)
    assert drain.active
    assert is_told_to_stop(server)
    assert not server.force_exit
    server.handle_exit(signal.SIGINT, None)
    assert server.force_exit


def test_no_number_of_sigterms_skips_the_wait_for_requests() -> None:
    server, _, _ = make_server(1000)
    for _ in range(5):
        server.handle_exit(signal.SIGTERM, None)
        is_told_to_stop(server)
    assert not server.force_exit


def test_uvicorn_is_configured_by_the_settings() -> None:
    chosen = settings(host="127.0.0.1", port=1234, keep_alive_seconds=61, graceful_timeout_seconds=17)
    config = uvicorn_config(make_service().app, chosen)
    assert (config.host, config.port) == ("127.0.0.1", 1234)
    assert (config.timeout_keep_alive, config.timeout_graceful_shutdown) == (61, 17)
    assert (config.access_log, config.server_header, config.limit_concurrency, config.workers) == (
        False,
        False,
        None,
        1,
    )


def in_a_thread(work: Callable[[], int]) -> int:
    """Its result, from a thread: signal handlers of this process stay as they are."""
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def test_a_port_that_is_taken_ends_the_start_with_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        chosen = settings(host="127.0.0.1", port=taken.getsockname()[1])
        output = Output("json", io.StringIO())
        assert in_a_thread(lambda: run(chosen, FakeLoader(), Metrics(), output)) == 1


def test_serving_needs_a_uri_that_names_a_model() -> None:
    with pytest.raises(UsageError):
        serve(Settings(model_uri="ftp://nowhere/house"))
