"""What the service itself writes, from processes that live through all that the queries and filters look for."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service.bundle import Manifest
from service.errors import BundleError, EngineError, GoldenError
from service.loader import Loader
from service.model import Model
from service.promotion import promote
from service.stores import open_store
from service.telemetry import Metrics
from service.telemetry.logs import Output
from tests.service.bundles import make_bundle
from tests.service.published import published
from tests.serving import ROW, FakeModel, Lines, ask, free_port, make_service, until

Line = dict[str, Any]


def lived_through(folder: Path) -> list[Line]:
    """The lines of a process that answers and refuses, rejects a promotion, loses its alias, and drains; of one whose
    store is away; and of a request that failed."""
    return [*_followed_alias(folder), *_without_a_store(folder), *_failed_request()]


def rejected(folder: Path, error: Exception | None) -> Line:
    """The line of a model whose building raises this error; or which is not there, without one."""
    store = open_store(f"file://{folder}/store")
    manifest, files = make_bundle("iris", "1")
    store.create_version(manifest, files)

    def build(manifest: Manifest, manifest_sha256: str, files: Mapping[str, bytes]) -> Model:
        assert error is not None
        raise error

    loader = Loader(
        f"{store.uri}/iris/{1 if error else 2}",
        metrics=Metrics(),
        poll_seconds=0.05,
        load_deadline_seconds=20,
        build=build,
    )
    with _spoken() as lines:
        asyncio.run(_until_failed(loader))
    return next(line for line in lines.objects() if line["event"] == "model_rejected")


REJECTIONS: dict[str, Exception | None] = {
    "golden": GoldenError("other answers"),
    "bundle": BundleError("not what it claims to be"),
    "engine": EngineError("no such operator"),
    "store": None,
    "error": ZeroDivisionError("unforeseen"),
}


async def _until_failed(loader: Loader) -> None:
    task = asyncio.create_task(loader.run())
    while loader.status.reason != "failed":
        await asyncio.sleep(0.01)
    task.cancel()


def _followed_alias(folder: Path) -> list[Line]:
    store = open_store(f"file://{folder}/models")
    manifest, files = published()
    for version in ("1", "2", "3"):
        store.create_version(manifest.model_copy(update={"version": version}), files)
    promote(store, "iris", "1", "production")
    alias = folder / "models" / "iris" / "aliases" / "production.json"
    with _served(folder, f"{store.uri}/iris@production") as (port, log):
        until(lambda: _answers(port), "the model")
        for instances in ([[1, 2, 3, 4]], [["wrong"]]):
            ask(port, "POST", "/predict", {"instances": instances})
        promote(store, "iris", "2", "production")
        until(lambda: '"replaced_version":"1"' in log.read_text(), "the promotion")
        promote(store, "iris", "3", "candidate")
        next((folder / "models" / "iris" / "versions" / "3").glob("model.*")).unlink()
        alias.with_name("candidate.json").replace(alias)
        until(lambda: '"model_rejected":1' in log.read_text(), "the rejection to be flushed")
        alias.unlink()
        until(lambda: '"alias_poll_failures":' in log.read_text(), "the failed poll to be flushed")
    return _objects(log)


def _without_a_store(folder: Path) -> list[Line]:
    away = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    with _served(folder, "s3://models/iris@production", **away) as (_, log):
        until(lambda: "store_unavailable" in log.read_text(), "the store to be missed")
    return _objects(log)


def _failed_request() -> list[Line]:
    service = make_service()

    def fail(rows: object) -> None:
        raise RuntimeError

    model = service.loader.current
    assert isinstance(model, FakeModel)
    model.before = fail
    with _spoken() as lines:
        service.ask("POST", "/predict", {"instances": [ROW]})
    return lines.objects()


@contextmanager
def _spoken() -> Iterator[Lines]:
    """What the service's loggers write in this process meanwhile."""
    lines = Lines()
    output, logger = Output("json", lines), logging.getLogger("alphard")
    logger.addHandler(output)
    try:
        yield lines
    finally:
        logger.removeHandler(output)


@contextmanager
def _served(folder: Path, uri: str, **variables: str) -> Iterator[tuple[int, Path]]:
    """A process that serves the model, stopped by SIGTERM in the end; its port, and the file of its lines."""
    port, log = free_port(), folder / f"{uri.partition(':')[0]}.log"
    environment = {
        **os.environ,
        "ALPHARD_MODEL_URI": uri,
        "ALPHARD_HOST": "127.0.0.1",
        "ALPHARD_PORT": str(port),
        "ALPHARD_POLL_SECONDS": "0.1",
        "ALPHARD_METRICS_FLUSH_SECONDS": "0.2",
        "ALPHARD_DRAIN_HOLD_SECONDS": "0",
        **variables,
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], stdout=output, stderr=output, env=environment
        ) as it,
    ):
        try:
            yield port, log
        finally:
            it.terminate()


def _answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/ready").status == 200
    except OSError:
        return False


def _objects(log: Path) -> list[Line]:
    return [json.loads(line) for line in log.read_text().splitlines()]
