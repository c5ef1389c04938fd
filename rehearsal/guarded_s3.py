"""Moto's S3 behind its users' roles, in a process of its own that is told by lines of JSON what to do.

``{"serve": true}`` opens its port, always the same, and ``{"serve": false}`` closes it and every connection;
``{"allow": key, "statements": [...]}`` gives an access key a role; ``{"fill": bucket, "objects": {...}}`` writes
objects, in base64. Each is answered by a line with the port. The end of its input ends it.
"""

from __future__ import annotations

import base64
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import Client

from rehearsal.access import access_key, allows, asked, list_of
from rehearsal.deployed import Statement
from rehearsal.stand_in import ADMINISTRATOR, OneAtATime

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_DENIED = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>%s</Code><Message>%s</Message></Error>"""


class Guard:
    """Lets through what the asker's role allows; the administrator may do everything."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.roles: dict[str, Sequence[Statement]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        key = access_key(environ.get("HTTP_AUTHORIZATION"))
        if key == ADMINISTRATOR:
            return self._application(environ, start_response)
        if key is not None and key not in self.roles:
            return _deny(environ, start_response, b"InvalidAccessKeyId", b"The AWS Access Key Id does not exist")
        ask = asked(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        statements = self.roles[key] if key else ()
        if ask is None or not allows(statements, ask):
            return _deny(environ, start_response)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = self._application(environ, lambda status, headers, _=None: started.append((status, headers)))
        # That there is no such object is for those to know who may list the bucket.
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        if started[0][0].startswith("404") and not allows(statements, list_of(ask)):
            return _deny(environ, start_response)
        start_response(*started[0])
        return body


class Handler(MotoRequestHandler):
    """Keeps count of the connections, which outlive the request that they were made for."""

    protocol_version = "HTTP/1.1"
    open: ClassVar[set[socket.socket]] = set()

    def setup(self) -> None:
        super().setup()
        self.open.add(self.connection)

    def finish(self) -> None:
        self.open.discard(self.connection)
        super().finish()


class Port:
    """A port of loopback that serves the application or refuses, and is nobody else's in between."""

    def __init__(self, application: Application) -> None:
        self._application = application
        # Bound and never listening: while nobody listens, connections are refused and the number is not given away.
        self._claim = socket.socket()
        self._claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._claim.bind(("127.0.0.1", 0))
        self._server: BaseWSGIServer | None = None

    @property
    def number(self) -> int:
        return int(self._claim.getsockname()[1])

    def serve(self) -> None:
        if self._server is None:
            self._server = make_server(
                "127.0.0.1", self.number, self._application, threaded=True, request_handler=Handler
            )
            threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def refuse(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in list(Handler.open):
                with suppress(OSError):  # its client may be the first to end it
                    connection.shutdown(socket.SHUT_RDWR)


def main() -> None:
    """Obeys one line after the other."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each request
    answers, sys.stdout = sys.stdout, sys.stderr  # what others print is no answer
    application = OneAtATime(create_backend_app("s3"))
    guard = Guard(application)
    port = Port(guard)
    for line in sys.stdin:
        match json.loads(line):
            case {"serve": bool(wanted)}:
                (port.serve if wanted else port.refuse)()
            case {"allow": str(key), "statements": list(statements)}:
                guard.roles[key] = [Statement(tuple(actions), tuple(resources)) for actions, resources in statements]
            case {"fill": str(bucket), "objects": dict(objects)}:
                _fill(application, bucket, objects)
        answers.write(json.dumps({"port": port.number}) + "\n")
        answers.flush()


def _fill(application: Application, bucket: str, objects: Mapping[str, str]) -> None:
    client = Client(application)
    # Unsigned, nobody may replace an object; the region is read from where it is in a signature.
    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={ADMINISTRATOR}/20260101/us-east-1/s3/aws4_request"}
    client.put(f"/{bucket}", headers=signed)
    for key, data in objects.items():
        answer = client.put(f"/{bucket}/{key}", data=base64.b64decode(data), headers=signed)
        if answer.status_code != 200:
            raise RuntimeError(f"{key} was not written: {answer.status}")


def _deny(
    environ: Mapping[str, Any], start_response: Any, code: bytes = b"AccessDenied", message: bytes = b"Access Denied"
) -> list[bytes]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

    What the request brought is not read, so its connection cannot be kept.
    """
    body = b"" if environ["REQUEST_METHOD"] == "HEAD" else _DENIED % (code, message)
    start_response(
        "403 Forbidden",
        [("Content-Type", "application/xml"), ("Content-Length", str(len(body))), ("Connection", "close")],
    )
    return [body]


if __name__ == "__main__":
    main()
