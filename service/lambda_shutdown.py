"""How an execution environment of Lambda learns that it is about to go."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

_LOGGER = logging.getLogger("alphard.lambda")
_API = "/2020-01-01/extension"
_REGISTER_SECONDS = 2.0


def on_shutdown(end: Callable[[], None]) -> None:
    """Has ``end`` called, in a thread, when Lambda removes the environment; the process then ends.

    Lambda sends SIGTERM, and leaves 500 ms, only where an extension is registered. So this process registers itself as
    one, an internal one without events, before its init phase is over:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    # The runtime's client waits for requests in C, where the main thread runs no handler of Python's: the interpreter
    # itself writes the signal's number into the socket.
    signal.set_wakeup_fd(writer.fileno())
    signal.signal(signal.SIGTERM, lambda *_: writer.fileno())  # holds the socket, too
    threading.Thread(target=_wait_for_signal, args=(reader, end), name="alphard-shutdown", daemon=True).start()
    _register()


def _wait_for_signal(reader: socket.socket, end: Callable[[], None]) -> None:
    while signal.SIGTERM not in reader.recv(64):
        continue
    try:
        end()
    finally:
        os._exit(0)


def _register() -> None:
    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    try:
        with closing(HTTPConnection(address, timeout=_REGISTER_SECONDS)) as connection:
            headers = {"Lambda-Extension-Name": "alphard", "Content-Type": "application/json"}
            connection.request("POST", f"{_API}/register", json.dumps({"events": []}), headers)
            response = connection.getresponse()
            response.read()
            identifier = response.headers.get("Lambda-Extension-Identifier")
        if response.status != 200 or identifier is None:
            raise HTTPException(f"registering answered {response.status}")
    except (OSError, HTTPException) as error:
        fields = {"event": "extension_refused", "detail": str(error)}
        _LOGGER.warning("the last figures of this environment may be lost", extra=fields)
        return
    threading.Thread(target=_wait_for_ever, args=(address, identifier), name="alphard-extension", daemon=True).start()


def _wait_for_ever(address: str, identifier: str) -> None:
    """Lambda's init phase lasts until every extension has asked for its next event; this one gets none."""
    with suppress(OSError, HTTPException), closing(HTTPConnection(address)) as connection:
        connection.request("GET", f"{_API}/event/next", headers={"Lambda-Extension-Identifier": identifier})
        connection.getresponse().read()
