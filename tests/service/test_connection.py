from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from service.connection import HEADERS_LIMIT_BYTES, Connection
from service.server import Server
from tests.serving import ROW, Client, Service, ask, make_service, serving, until
from tests.talk import Talk, problem, status

BODY = json.dumps({"instances": [ROW]}).encode()
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
WHOLE = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
LIVE = b"GET /live HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def service() -> Service:
    return make_service(max_body_bytes=1000)


@pytest.fixture(scope="module")
def port(service: Service) -> Iterator[int]:
    with serving(service) as server:
        yield server.config.port


@pytest.fixture(scope="module")
def hurried_port() -> Iterator[int]:
    """A server that gives a request very little time."""
    with serving(make_service(request_deadline_seconds=0.2, max_body_bytes=1000)) as server:
        yield server.config.port


NOT_HTTP = {
    "noise": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nab\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad length": POST + b"Content-Length: -5\r\n\r\n",
    "huge length": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "no target": b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "folded header": LIVE + b"A: b\r\n c\r\n\r\n",
    "header without a colon": LIVE + b"abc\r\n\r\n",
}


@pytest.mark.parametrize("words", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_is_not_http_is_a_problem_and_closes_the_connection(port: int, words: bytes) -> None:
    with Talk(port, words) as talk:
        answer = talk.hear_all()
    assert status(answer) == 400
    assert problem(answer)["type"] == "urn:alphard:problem:not-http"
    assert b"connection: close" in answer
    assert b"x-request-id: " + problem(answer)["request_id"].encode() in answer


def test_what_is_not_http_after_requests_that_wait_only_closes_the_connection(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Talk(port, WHOLE + WHOLE + b"\x00\r\n\r\n") as talk:
        assert talk.hear_all() == b""
    assert ask(port, "GET", "/live").status == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=80))
def test_no_noise_on_the_wire_harms_the_server(port: int, noise: bytes) -> None:
    for words in (noise, LIVE + noise, POST + b"Content-Length: 20\r\n\r\n" + noise):
        with Talk(port, words) as talk:
            talk.socket.shutdown(socket.SHUT_WR)
            for answer in Talk.hear_all(talk).split(b"HTTP/1.1 ")[1:]:
                assert answer[:1] in b"24"


def test_headers_over_the_limit_are_refused_while_they_come(port: int) -> None:
    with Talk(port, LIVE) as talk:
        for _ in range(8 * HEADERS_LIMIT_BYTES // 1000):
            talk.socket.sendall(b"X: " + b"a" * 1000 + b"\r\n")
        answer = talk.hear_all()
    assert (status(answer), problem(answer)["status"]) == (431, 431)


def test_a_header_without_an_end_is_refused_and_cut_off(port: int) -> None:
    def send_for_ever(talk: Talk) -> None:
        while True:
            talk.socket.sendall(b"a" * 1000)
            time.sleep(0.0001)

    with Talk(port, LIVE + b"X: ") as talk, pytest.raises(OSError, match=r"reset|Broken pipe"):
        send_for_ever(talk)


def test_many_long_headers_within_the_limit_are_taken(port: int) -> None:
    with Client(port) as client:
        reply = client.ask("GET", "/live", headers={f"X-{i}": "a" * 1000 for i in range(50)})
    assert reply.status == 200


def test_requests_in_one_breath_are_answered_in_order(port: int) -> None:
    with Talk(port, WHOLE + LIVE + b"\r\n" + WHOLE.replace(b"[3,", b"[4,")) as talk:
        first, second, third = talk.hear(3)
    assert b'"7:3"' in first
    assert b'"live"' in second
    assert b'"7:4"' in third


def test_a_body_that_is_refused_leaves_the_connection_in_step(port: int) -> None:
    large = b"[" * 5000
    with Talk(port, POST + b"Content-Length: 5000\r\n\r\n" + large + WHOLE) as talk:
        refused, answered = talk.hear(2)
    assert (status(refused), problem(refused)["status"]) == (413, 413)
    assert b'"7:3"' in answered


def test_a_chunked_body_over_the_limit_leaves_the_connection_in_step(port: int) -> None:
    chunks = b"1f4\r\n" + b"[" * 500 + b"\r\n"
    with Talk(port, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 5 + b"0\r\n\r\n" + WHOLE) as talk:
        refused, answered = talk.hear(2)
    assert status(refused) == 413
    assert b'"7:3"' in answered


def test_a_chunked_body_is_a_body(port: int) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(BODY[i : i + 9]), BODY[i : i + 9]) for i in range(0, len(BODY), 9))
    with Talk(port, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n") as talk:
        (answer,) = talk.hear()
    assert status(answer) == 200


def test_a_client_that_waits_is_told_to_continue(port: int) -> None:
    with Talk(port, POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)) as talk:
        assert status(talk.hear()[0]) == 100
        talk.socket.sendall(BODY)
        assert status(talk.hear(2)[1]) == 200


def test_a_client_that_waits_with_too_much_is_refused_before_it_sends(port: int) -> None:
    with Talk(port, POST + b"Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n") as talk:
        answer = talk.hear_all()
    assert status(answer) == 413
    assert b"connection: close" in answer


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_an_offer_to_upgrade_is_ignored(port: int, protocol: bytes) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\nHTTP2-Settings: AAMAAABk\r\n"
    with Talk(port, POST + offer + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY) as talk:
        assert status(talk.hear()[0]) == 200
        talk.socket.sendall(WHOLE)
        assert status(talk.hear(2)[1]) == 200


def test_old_http_is_answered_and_closed(port: int) -> None:
    with Talk(port, b"GET /live HTTP/1.0\r\n\r\n") as talk:
        assert status(talk.hear_all()) == 200


def test_a_head_is_answered_without_a_body(port: int) -> None:
    with Talk(port, b"HEAD /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as talk:
        answer = talk.hear_all()
    assert status(answer) == 200
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("words", [b"GET /li", LIVE, LIVE + b"X: ", POST + b"Content-Length: 20\r\n"])
def test_headers_that_never_end_are_cut_off(hurried_port: int, words: bytes) -> None:
    with Talk(hurried_port, words) as talk:
        assert talk.hear_all() == b""


def test_a_wrong_media_type_is_told_before_the_body_is_here(port: int) -> None:
    with Talk(port, POST + b"Content-Type: text/csv\r\nContent-Length: 100\r\n\r\n1,2") as talk:
        assert status(talk.hear()[0]) == 415


@pytest.mark.parametrize("words", [b"Content-Length: 20\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n[[["])
def test_a_body_that_never_ends_is_told_so_and_cut_off(hurried_port: int, words: bytes) -> None:
    with Talk(hurried_port, POST + words) as talk:
        answer = talk.hear_all()
    assert (status(answer), problem(answer)["type"]) == (408, "urn:alphard:problem:slow-request")


def test_a_body_that_was_refused_and_never_ends_is_cut_off(hurried_port: int) -> None:
    with Talk(hurried_port, POST + b"Content-Length: 5000\r\n\r\n[") as talk:
        assert status(talk.hear()[0]) == 413
        talk.socket.sendall(b"[")
        talk.hear_all()


def test_time_is_counted_anew_for_every_request(hurried_port: int) -> None:
    with Client(hurried_port) as client:
        for _ in range(4):
            assert client.ask("POST", "/predict", BODY).status == 200
            time.sleep(0.08)  # more than the deadline in sum


@pytest.mark.parametrize("target", [b"/predict", b"/predict?"])  # the second is never answered the shorter way
def test_who_leaves_amid_a_body_is_counted_and_logged(target: bytes) -> None:
    service = make_service()
    with serving(service) as server:
        words = POST.replace(b"/predict", target) + b"Content-Length: 100\r\n\r\n{"
        with Talk(server.config.port, words):
            until(lambda: _has_read_a_body(server), "the request to be read")
        until(service.lines.getvalue, "its line")
    assert [(line["path"], line["status"]) for line in service.lines.objects()] == [("/predict", 499)]


def _has_read_a_body(server: Server) -> bool:
    return any(each._timer is not None and not each._in_headers for each in _connections(server))


def _connections(server: Server) -> list[Connection]:
    return [each for each in list(server.server_state.connections) if isinstance(each, Connection)]


@pytest.mark.parametrize("words", [b"", POST, POST + b"Content-Length: 100\r\n\r\n{", WHOLE])
@pytest.mark.parametrize("linger", [False, True])
def test_a_client_that_hangs_up_is_no_error(
    service: Service, port: int, caplog: pytest.LogCaptureFixture, words: bytes, linger: bool
) -> None:
    with Talk(port, words) as talk:
        if not linger:  # close by a reset
            talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    with Client(port) as client:
        assert client.ask("GET", "/live").status == 200
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
    assert all(line["level"] == "INFO" for line in service.lines.objects())


def test_a_connection_that_says_nothing_is_closed_in_the_end() -> None:
    quiet = make_service(keep_alive_seconds=1, request_deadline_seconds=0.5)
    with serving(quiet) as server, Talk(server.config.port) as talk:
        assert talk.hear_all() == b""
    assert quiet.lines.getvalue() == ""


def test_an_answered_connection_that_says_nothing_more_is_closed_in_the_end() -> None:
    with serving(make_service(keep_alive_seconds=1, request_deadline_seconds=0.5)) as server:
        for words in (WHOLE, LIVE + b"\r\n", WHOLE + LIVE + b"\r\n", LIVE + b"\r\n" + WHOLE):
            with Talk(server.config.port, words) as talk:
                assert talk.hear_all().startswith(b"HTTP/1.1 200 OK")


class Clock:
    """An event loop of which only the time and the last timer are looked at."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timer: tuple[float, Callable[[], None]] | None = None

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.timer = (seconds, callback)

    def ring(self) -> None:
        """The timer's time comes."""
        assert self.timer is not None
        seconds, callback = self.timer
        self.now, self.timer = self.now + seconds, None
        callback()


class Line:
    """A transport that is open until it is closed."""

    closed = False

    def is_closing(self) -> bool:
        return self.closed

    def write(self, _: bytes) -> None:
        assert not self.closed

    def close(self) -> None:
        self.closed = True


def test_idleness_counts_from_the_last_answer_and_not_while_a_request_is_under_way() -> None:
    clock, line = Clock(), Line()
    connection = Connection.__new__(Connection)
    connection.loop = clock  # type: ignore[assignment]  # all of a loop that is asked for
    connection.transport = line  # type: ignore[assignment]  # all of a transport that is asked for
    connection.server_state = ServerState()
    connection.timeout_keep_alive = 75
    connection._end_idleness()  # while a request is under way
    clock.now += 25
    connection.answer(b"content-length: 0\r\n\r\n", b"")
    clock.now -= 25
    found = []
    for _ in range(2):
        clock.ring()
        found.append((clock.now, line.is_closing()))
    assert found == [(175.0, False), (200.0, True)]  # 75 after the answer
    assert clock.timer is None


def test_a_client_that_reads_nothing_is_given_up() -> None:
    with serving(make_service(request_deadline_seconds=0.3)) as server:
        with Talk(server.config.port, receive_bytes=4096) as talk:
            talk.fill(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
            until(lambda: not server.server_state.connections, "the connection to be given up")
        assert ask(server.config.port, "GET", "/live").status == 200
