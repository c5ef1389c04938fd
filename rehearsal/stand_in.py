"""Moto's server as S3 on loopback, in a process of its own: ``python -m rehearsal.stand_in`` prints its port.

S3 decides conditional writes to one key one after another. Moto looks first and writes then, without a lock, so the
server here takes one request at a time.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

ADMINISTRATOR = "testing"
"""The access key of whoever may do everything."""


@contextmanager
def s3_server() -> Iterator[str]:
    """The endpoint of a server that ends with the block, or with this process."""
    command = [sys.executable, "-m", "rehearsal.stand_in"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:  # for the type checker: both are pipes
            raise RuntimeError("no pipes")
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def s3_environment(endpoint: str) -> dict[str, str]:
    """What leads boto3 to the server and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ADMINISTRATOR,
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


class OneAtATime:
    """A WSGI application that begins a request when it has answered the one before."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with self._lock:
            return list(self._application(environ, start_response))


def _serve() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    def make(service: Any) -> Any:
        """When a service is first asked; most tests never need more than S3."""
        if service == "cloudformation":
            from rehearsal.moto_updates import teach

            teach()
        return create_backend_app(service)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each request,
    logging.getLogger("moto").setLevel(logging.ERROR)  # nor for each resource that it passes over
    warnings.simplefilter("ignore")
    application = OneAtATime(DomainDispatcherApplication(make))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
