"""A real process on a real port: how it starts, answers, and ends."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from http.client import HTTPException
from typing import Any

import pytest

from tests.serving import ROW, Client, Process, ask, spawned, until
from tests.talk import Talk

SHORT = {
    "drain_hold_seconds": 0,
    "keep_alive_seconds": 5,
    "graceful_timeout_seconds": 1,
    "request_deadline_seconds": 1,
    "log_level": "WARNING",
}


def takes(milliseconds: float) -> dict[str, Any]:
    return {"instances": [[3, milliseconds, *ROW[2:]]]}


def test_every_line_of_a_life_is_one_object_of_one_schema() -> None:
    with spawned(drain_hold_seconds=0) as process:
        reply = ask(process.port, "POST", "/predict", {"instances": [ROW]}, {"X-Request-Id": "r-1"})
        assert reply.json() == {"predictions": ["7:3"], "model": {"name": "house", "version": "7"}}
        assert "server" not in reply.headers
        ask(process.port, "GET", "/nothing")
        process.popen.send_signal(signal.SIGTERM)
        status, lines = process.wait()
    assert status == 0
    for line in lines:
        assert list(line)[:5] == ["level", "location", "message", "timestamp", "service"]
        assert all(key == key.lower() and not isinstance(value, dict | list) for key, value in line.items())
    messages = [line["message"] for line in lines]
    assert any("Uvicorn running on" in message for message in messages)
    assert [line["request_id"] for line in lines if line.get("path") == "/predict"] == ["r-1"]
    assert "draining" in messages


class Traffic:
    """Constant requests by several clients, as a balancer sends them: until it has seen readiness fail."""

    def __init__(self, process: Process, *, keep_alive: bool) -> None:
        self._port = process.port
        self._keep_alive = keep_alive
        self._deregistered = threading.Event()
        self.answers: Counter[Any] = Counter()
        self.closed = 0
        self._threads = [threading.Thread(target=self._send) for _ in range(3)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._deregistered.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._deregistered.is_set():
            with Client(self._port) as client:
                while self._once(client) and self._keep_alive and not self._deregistered.is_set():
                    pass

    def _once(self, client: Client) -> bool:
        """Whether the connection may be used again."""
        try:
            reply = client.ask("POST", "/predict", takes(2))
        except (OSError, HTTPException) as error:
            self.answers[type(error).__name__] += 1
            return False
        self.answers[reply.status] += 1
        closed = reply.headers.get("connection") == "close"
        self.closed += closed
        return not closed


@pytest.mark.parametrize(("keep_alive", "hold_seconds"), [(True, 0.5), (False, 1.2)])
def test_no_request_is_lost_when_sigterm_comes_first(keep_alive: bool, hold_seconds: float) -> None:
    with spawned(drain_hold_seconds=hold_seconds) as process:
        traffic = Traffic(process, keep_alive=keep_alive)
        until(lambda: traffic.answers[200] > 20, "traffic")
        process.popen.send_signal(signal.SIGTERM)
        until(lambda: ask(process.port, "GET", "/ready").status == 503, "readiness to fail")
        assert ask(process.port, "GET", "/live").status == 200
        before = traffic.answers[200]
        until(lambda: traffic.answers[200] > before + 20, "more traffic while draining")
        traffic.end()
        status, _ = process.wait()
    assert status == 0
    assert set(traffic.answers) == {200}
    assert traffic.closed > 0


def test_no_request_is_lost_when_the_balancer_goes_first() -> None:
    with spawned(drain_hold_seconds=0) as process:
        traffic = Traffic(process, keep_alive=True)
        until(lambda: traffic.answers[200] > 20, "traffic")
        traffic.end()
        process.popen.send_signal(signal.SIGTERM)
        status, _ = process.wait()
    assert (status, set(traffic.answers)) == (0, {200})


def test_a_request_in_flight_is_answered_after_the_hold() -> None:
    body = json.dumps(takes(1500)).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    with spawned(drain_hold_seconds=0.1) as process, Talk(process.port, head) as talk:
        talk.hear()  # that it may continue: the application has the request
        talk.socket.sendall(body)
        process.popen.send_signal(signal.SIGTERM)
        answer = talk.hear_all()
        status, _ = process.wait()
    assert status == 0
    assert b"HTTP/1.1 200 OK" in answer
    assert b"connection: close" in answer


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_person_need_not_wait_for_the_hold(first: signal.Signals) -> None:
    with spawned(drain_hold_seconds=1000) as process:
        process.popen.send_signal(first)
        if first == signal.SIGTERM:
            until(lambda: ask(process.port, "GET", "/ready").status == 503, "readiness to fail")
            process.popen.send_signal(signal.SIGTERM)
        status, _ = process.wait()
    assert status == 0


def post(body: dict[str, Any]) -> bytes:
    sent = json.dumps(body).encode()
    return b"POST /predict HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(sent), sent)


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"POST /predict HTTP/1.1\r\n",
        b"POST /predict HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
        post(takes(60_000)),
        post({"instances": [[99, 60_000, *ROW[2:]]]}),
    ],
    ids=["silent", "in its headers", "in its body", "waiting for an answer", "waiting for a stuck thread"],
)
def test_no_client_holds_the_process_beyond_the_graceful_timeout(words: bytes) -> None:
    with spawned(**SHORT) as process, Talk(process.port, words):
        ask(process.port, "GET", "/live")
        process.popen.send_signal(signal.SIGTERM)
        status, lines = process.wait()
    assert status == 0
    assert not [line for line in lines if "exception" in line]


def test_a_client_that_reads_nothing_does_not_hold_the_process() -> None:
    with spawned(**SHORT) as process, Talk(process.port, receive_bytes=4096) as talk:
        talk.fill(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ask(process.port, "GET", "/live").status == 200
        process.popen.send_signal(signal.SIGTERM)
        status, lines = process.wait()
    assert status == 0
    assert not [line for line in lines if "exception" in line]
