"""A test tool: Lambda's Runtime API and Extensions API on loopback, and the real runtime client running our handler.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.serving import WAIT_SECONDS, Reply, until

TRACE_ID = "Root=1-67891233-abcdef012345678912345678"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:alphard-dev-function:live"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/alphard-dev/1234567890abcdef"
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")


def balancer_event(
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    multi_value: bool = True,
) -> dict[str, Any]:
    """What a load balancer sends for a request, as its user guide says: headers in lower case and its own among them,
    the query as it came, a body that is not of a text type in base64."""
    sent = {"host": "alphard.example.com", "user-agent": "curl/8.5.0", **(headers or {})}
    sent |= {"x-amzn-trace-id": TRACE_ID, "x-forwarded-for": "203.0.113.9", "x-forwarded-port": "443"}
    sent |= {"x-forwarded-proto": "https"} | ({"content-length": str(len(body))} if body else {})
    text = sent.get("content-type", "").startswith(_TEXT) and "content-encoding" not in sent
    path, _, query = path.partition("?")
    parameters = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
    event = {
        "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
        "httpMethod": method,
        "path": path,
        "body": body.decode() if text else b64encode(body).decode(),
        "isBase64Encoded": bool(body) and not text,
    }
    if multi_value:
        return event | {
            "multiValueQueryStringParameters": {key: [value] for key, value in parameters.items()},
            "multiValueHeaders": {key: [value] for key, value in sent.items()},
        }
    return event | {"queryStringParameters": parameters, "headers": sent}


def url_event(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a function URL sends, and API Gateway for an HTTP API: payload format 2.0."""
    sent = {"host": "abc.lambda-url.eu-central-1.on.aws", "x-amzn-trace-id": TRACE_ID, **(headers or {})}
    path, _, query = path.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": sent | {"x-forwarded-for": "203.0.113.9"},
        "requestContext": {
            "accountId": "anonymous",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"},
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
        },
        "body": b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def reply_of(answer: Mapping[str, Any]) -> Reply:
    """What the client of the load balancer gets for a function's answer."""
    body = b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    if "multiValueHeaders" in answer:
        headers = {key: ", ".join(values) for key, values in answer["multiValueHeaders"].items()}
    else:
        headers = dict(answer["headers"])
    return Reply(answer["statusCode"], headers, body)


class Environment:
    """A process of the runtime client, and both APIs as it sees them."""

    def __init__(self, folder: Path, *, extensions: bool) -> None:
        self.extensions = extensions
        self.log = folder / f"lambda-{time.monotonic_ns()}.log"
        self.popen: subprocess.Popen[bytes]
        self.registered: list[dict[str, Any]] = []
        self.waits_for_events = threading.Event()
        self.asked = threading.Event()
        self.init_errors: list[Any] = []
        self.events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, str, bytes]] = queue.Queue()
        self.released = threading.Event()
        self.largest = 0
        self._count = 0

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """The function's answer to an event, or what it failed with."""
        self._count += 1
        identifier = f"00000000-0000-4000-8000-{self._count:012}"
        self.events.put((identifier, json.dumps(event).encode()))
        answered, _, answer = self.answers.get(timeout=WAIT_SECONDS)
        assert answered == identifier
        self.largest = max(self.largest, len(answer))
        return json.loads(answer)

    def ask(self, method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Asks as a client of the load balancer; what is not bytes is sent as JSON."""
        if not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"content-type": "application/json", **(headers or {})}
        return reply_of(self.invoke(balancer_event(method, path, body, headers)))

    def freeze(self, seconds: float) -> None:
        """Stops the process for so long, as Lambda does between invocations."""
        self.popen.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.popen.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Ends the process as Lambda ends an environment in which an extension is registered; its exit status."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=WAIT_SECONDS)

    def lines(self) -> list[dict[str, Any]]:
        """All that was written to standard output and standard error; every line must be one JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def events_logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("event") == event]

    def figures(self, name: str) -> float:
        """The sum of a counter over all documents in the embedded metric format."""
        return float(sum(line.get(name, 0) for line in self.lines() if "_aws" in line))


@contextmanager
def environment(
    uri: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    ready: bool = True,
    extensions: bool = True,
    command: Sequence[str] = (sys.executable, "-m", "awslambdaric", "service.lambda_handler.handler"),
) -> Iterator[Environment]:
    """An execution environment that serves the model at ``uri``; when the block begins, it has asked for an event.

    With ``ready=False`` the block begins at once; with ``extensions=False`` none may register. ``command`` runs the
    runtime client.
    """
    made = Environment(folder, extensions=extensions)
    server = _Server(("127.0.0.1", 0), _Api)
    server.environment = made
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    runtime = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "alphard-dev-function",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "ALPHARD_MODEL_URI": uri,
    }
    with made.log.open("wb") as log:
        made.popen = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **runtime, **(variables or {})}
        )
    try:
        if ready:
            until(lambda: made.asked.is_set() or made.popen.poll() is not None, "the runtime to ask for an event")
            assert made.popen.poll() is None, made.log.read_text()
        yield made
    finally:
        made.popen.kill()
        made.popen.wait()
        made.released.set()
        made.events.put(None)
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    environment: Environment


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for headers and body, else each answer waits for an acknowledgement

    @property
    def _environment(self) -> Environment:
        assert isinstance(self.server, _Server)
        return self.server.environment

    def do_GET(self) -> None:
        if self.path == "/2020-01-01/extension/event/next":
            self._environment.waits_for_events.set()
            self._environment.released.wait()
            return
        assert self.path == "/2018-06-01/runtime/invocation/next"
        self._environment.asked.set()
        if (event := self._environment.events.get()) is None:
            return
        identifier, body = event
        deadline = int((time.time() + 25) * 1000)
        headers = {"Lambda-Runtime-Aws-Request-Id": identifier, "Lambda-Runtime-Deadline-Ms": str(deadline)}
        headers |= {"Lambda-Runtime-Invoked-Function-Arn": FUNCTION, "Lambda-Runtime-Trace-Id": TRACE_ID}
        self._answer(200, body, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/2020-01-01/extension/register":
            name = self.headers["Lambda-Extension-Name"]
            self._environment.registered.append({"name": name, **json.loads(body)})
            if not self._environment.extensions:
                self._answer(403, b"{}")
                return
            self._answer(200, b"{}", {"Lambda-Extension-Identifier": "a1b2c3d4-5678-90ab-cdef-000000000001"})
        elif self.path == "/2018-06-01/runtime/init/error":
            self._environment.init_errors.append(json.loads(body))
            self._answer(202, b"{}")
        else:
            identifier, outcome = self.path.rsplit("/", 2)[1:]
            self._answer(202, b"{}")
            self._environment.answers.put((identifier, outcome, body))

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        with suppress(OSError):  # the process was killed while it waited
            self.send_response_only(status)
            for key, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""
