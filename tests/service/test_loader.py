from __future__ import annotations

import asyncio
import gc
import logging
import re
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.config import Config

from service.batching import Cost
from service.bundle import Alias, Answers, Manifest, Rows, sha256
from service.errors import GoldenError, NotFoundError, NotReadyError, UsageError
from service.loader import Build, Loader, Rejection
from service.model import Model
from service.stores import Store, open_store
from service.telemetry import Metrics
from tests.service.bundles import make_bundle
from tests.service.faults import Relay, relay

ROW = Rows(np.zeros((1, 1)), np.empty((1, 0), object))


class VersionEngine:
    """Answers with the version that it was built of."""

    def __init__(self, version: str) -> None:
        self._version = int(version)

    def predict(self, rows: Rows, **_: bool) -> Answers:
        return Answers(np.full(len(rows.numbers), self._version))


def build(manifest: Manifest, manifest_sha256: str, files: Mapping[str, bytes]) -> Model:
    if files[manifest.engine.file].startswith(b"bad"):
        raise GoldenError("the engine does not reproduce the golden answers")
    return Model(manifest, manifest_sha256, VersionEngine(manifest.version), Cost(0.0, 0.0), batches=True)


def publish(store: Store, version: str, data: bytes = b"good") -> None:
    store.create_version(*make_bundle("iris", version, data))


def point(store: Store, version: str, manifest_sha256: str | None = None) -> None:
    """Moves the alias as promotion does, without looking at the version."""
    found = manifest_sha256 or sha256(store.read_manifest("iris", version))
    alias = Alias(version=version, manifest_sha256=found, promoted_at=datetime.now(UTC).isoformat())
    try:
        tag = store.read_alias("iris", "production").tag
    except NotFoundError:
        tag = None
    store.move_alias("iris", "production", alias, expected_tag=tag)


def make_loader(
    store: Store,
    *,
    uri: str = "iris@production",
    build: Build = build,
    metrics: Metrics | None = None,
    deadline_seconds: float = 20,
) -> Loader:
    return Loader(
        f"{store.uri}/{uri}",
        metrics=metrics or Metrics(),
        poll_seconds=0.02,
        load_deadline_seconds=deadline_seconds,
        build=build,
    )


@asynccontextmanager
async def running(loader: Loader) -> AsyncIterator[None]:
    task = asyncio.create_task(loader.run())
    try:
        yield
    finally:
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        assert outcome is None or isinstance(outcome, asyncio.CancelledError)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def serves(loader: Loader, version: str) -> Callable[[], bool]:
    return lambda: loader.status.model is not None and loader.status.model.manifest.version == version


def rejection(loader: Loader) -> Rejection | None:
    return loader.status.rejected


def is_failed(loader: Loader) -> bool:
    return loader.status.reason == "failed"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def run() -> Iterator[Callable[[Coroutine[Any, Any, None]], None]]:
    """Runs a test in a loop in debug mode, which notices coroutines never awaited and exceptions never retrieved."""
    with asyncio.Runner(debug=True) as runner:
        yield runner.run


Run = Callable[[Coroutine[Any, Any, None]], None]


def test_a_uri_that_names_no_model_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="names neither a version nor an alias"):
        Loader("s3://models/iris", metrics=Metrics(), poll_seconds=1, load_deadline_seconds=1)


def test_nothing_is_current_until_the_model_is_built(store: Store, run: Run) -> None:
    publish(store, "1")
    point(store, "1")
    may_finish = threading.Event()

    def slow(manifest: Manifest, manifest_sha256: str, files: Mapping[str, bytes]) -> Model:
        may_finish.wait(20)
        return build(manifest, manifest_sha256, files)

    async def scene() -> None:
        loader = make_loader(store, build=slow)
        with pytest.raises(NotReadyError) as raised:
            _ = loader.current
        assert raised.value.reason == "loading"
        async with running(loader):
            await until(lambda: "building iris 1" in (loader.status.detail or ""))
            with pytest.raises(NotReadyError, match="building iris 1 and reproducing its golden answers") as raised:
                _ = loader.current
            assert raised.value.reason == "loading"
            may_finish.set()  # by the loop, which building therefore does not hold
            await until(serves(loader, "1"))
            assert loader.status == (loader.current, None, None, None)
            assert (await loader.current.predict(ROW)).predictions.tolist() == [1]

    run(scene())


def test_a_pinned_version_is_loaded_and_not_polled(store: Store, run: Run) -> None:
    publish(store, "1")
    publish(store, "2")
    loader = make_loader(store, uri="iris/1")
    run(asyncio.wait_for(loader.run(), 20))
    assert loader.current.manifest.version == "1"


def test_a_moved_alias_swaps_the_model_and_the_old_one_goes_with_its_last_request(store: Store, run: Run) -> None:
    publish(store, "1")
    publish(store, "2")
    point(store, "1")

    async def scene() -> None:
        loader = make_loader(store)
        async with running(loader):
            await until(serves(loader, "1"))
            held = loader.current
            old = weakref.ref(held)
            point(store, "2")
            await until(serves(loader, "2"))
            assert (await held.predict(ROW)).predictions.tolist() == [1]
            assert (await loader.current.predict(ROW)).predictions.tolist() == [2]
            del held
            gc.collect()
            assert old() is None

    run(scene())


def test_under_constant_calls_and_promotions_every_answer_is_of_the_version_it_names(store: Store, run: Run) -> None:
    versions = [str(i) for i in range(8)]
    for version in versions:
        publish(store, version)
    point(store, "0")
    seen: list[int] = []

    async def call(loader: Loader, stop: asyncio.Event) -> None:
        while not stop.is_set():
            model = loader.current
            await asyncio.sleep(0)
            answer = (await model.predict(ROW)).predictions.tolist()[0]
            assert str(answer) == model.manifest.version
            seen.append(answer)
            await asyncio.sleep(0)

    async def scene() -> None:
        loader, stop = make_loader(store), asyncio.Event()
        async with running(loader):
            await until(serves(loader, "0"))
            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(call(loader, stop))
                for version in [*versions[1:], "3", "0"]:
                    await asyncio.to_thread(point, store, version)
                    await until(serves(loader, version))
                stop.set()

    run(scene())
    assert set(map(str, seen)) == set(versions)


@pytest.mark.parametrize("way", ["golden", "tampered", "alias lies", "missing", "unforeseen"])
def test_a_bad_new_version_is_reported_once_and_the_working_one_keeps_serving(
    store: Store, run: Run, way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish(store, "1")
    publish(store, "2", b"bad" if way == "golden" else b"good")
    publish(store, "3")
    point(store, "1")
    folder = tmp_path / "store/iris/versions/2"
    artifact = next(path for path in folder.iterdir() if path.name != "manifest.json")
    if way == "tampered":
        artifact.write_bytes(b"evil")
    elif way == "missing":
        artifact.unlink()
    builds: list[str] = []

    def counted(manifest: Manifest, manifest_sha256: str, files: Mapping[str, bytes]) -> Model:
        builds.append(manifest.version)
        if way == "unforeseen" and manifest.version == "2":
            raise RuntimeError("of a library\nthat nobody foresaw")
        return build(manifest, manifest_sha256, files)

    details = {
        "golden": "the engine does not reproduce the golden answers",
        "tampered": "has SHA-256 .* its manifest says",
        "alias lies": "has SHA-256 .* its alias names 0000",
        "missing": "of iris 2 is missing",
        "unforeseen": "RuntimeError: of a library that nobody foresaw",
    }

    async def scene() -> None:
        metrics = Metrics()
        loader = make_loader(store, build=counted, metrics=metrics)
        async with running(loader):
            await until(serves(loader, "1"))
            with caplog.at_level(logging.INFO, "alphard.loader"):
                point(store, "2", "0" * 64 if way == "alias lies" else None)
                await until(lambda: loader.status.rejected)
                await asyncio.sleep(0.2)  # several polls
            version, detail = rejection(loader) or ("", "")
            assert version == "2"
            assert re.search(details[way], detail)
            assert loader.current.manifest.version == "1"
            assert loader.status.reason is None
            assert builds.count("2") == (way in ("golden", "unforeseen"))
            assert "alphard_model_rejected 1" in metrics.prometheus()
            lines = [record for record in caplog.records if record.levelno == logging.ERROR]
            assert [vars(record)["event"] for record in lines] == ["model_rejected"]
            assert vars(lines[0])["model_version"] == "2"
            reason = vars(lines[0])["reason"]
            assert reason == {"golden": "golden", "unforeseen": "error"}.get(way, "bundle")
            assert f'alphard_model_loads_total{{outcome="{reason}"}} ' in metrics.prometheus()
            assert bool(lines[0].exc_info) == (way == "unforeseen")
            point(store, "3")
            await until(serves(loader, "3"))
            assert rejection(loader) is None
            assert "alphard_model_rejected 0" in metrics.prometheus()

    run(scene())


def test_an_alias_that_comes_back_from_a_bad_version_loads_nothing_again(store: Store, run: Run) -> None:
    publish(store, "1")
    publish(store, "2", b"bad")
    point(store, "1")

    async def scene() -> None:
        loader = make_loader(store)
        async with running(loader):
            await until(serves(loader, "1"))
            first = loader.current
            point(store, "2")
            await until(lambda: loader.status.rejected)
            point(store, "1")
            await until(lambda: not loader.status.rejected)
            assert loader.current is first

    run(scene())


@pytest.mark.parametrize("uri", ["iris@production", "iris/1"])
def test_a_model_that_is_not_there_yet_is_a_failure_until_it_is(store: Store, run: Run, uri: str) -> None:
    async def scene() -> None:
        loader = make_loader(store, uri=uri)
        async with running(loader):
            await until(lambda: is_failed(loader))
            with pytest.raises(NotReadyError, match=r"iris has no (alias 'production'|version '1')") as raised:
                _ = loader.current
            assert raised.value.reason == "failed"
            publish(store, "1")
            point(store, "1")
            await until(serves(loader, "1"))

    run(scene())


def test_a_bad_version_at_the_start_is_a_failure_until_the_alias_moves(store: Store, run: Run) -> None:
    publish(store, "1", b"bad")
    publish(store, "2")
    point(store, "1")

    async def scene() -> None:
        metrics = Metrics()
        loader = make_loader(store, metrics=metrics)
        async with running(loader):
            await until(lambda: is_failed(loader))
            assert loader.status.detail == "the engine does not reproduce the golden answers"
            assert loader.status.rejected is None
            point(store, "2")
            await until(serves(loader, "2"))
            assert 'alphard_model_loads_total{outcome="golden"}' in metrics.prometheus()
            assert 'alphard_model_loads_total{outcome="loaded"} 1' in metrics.prometheus()

    run(scene())


@pytest.fixture
def faults(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A relay on the way to S3; the client itself would wait longer than any deadline here."""
    monkeypatch.setattr("service.stores.s3._CONFIG", Config(read_timeout=60, retries={"total_max_attempts": 1}))
    with relay(s3, lambda *_: None) as control:
        monkeypatch.setenv("AWS_ENDPOINT_URL", control.endpoint)
        yield control


@pytest.fixture
def bucket_store(faults: Relay, bucket: str) -> Store:
    store = open_store(f"s3://{bucket}")
    publish(store, "1")
    publish(store, "2")
    point(store, "1")
    return store


def test_a_store_that_goes_away_takes_nothing_with_it(bucket_store: Store, faults: Relay, run: Run) -> None:
    async def scene() -> None:
        metrics = Metrics()
        loader = make_loader(bucket_store, metrics=metrics)
        async with running(loader):
            await until(serves(loader, "1"))
            point(bucket_store, "2")
            faults.plan = lambda *_: (503, "SlowDown")
            await until(serves(loader, "1"))
            await until(lambda: "alphard_alias_poll_failures_total" in metrics.prometheus())
            assert loader.current.manifest.version in ("1", "2")
            assert loader.status.rejected is None
            faults.plan = lambda *_: None
            await until(serves(loader, "2"))

    run(scene())


def test_a_store_that_is_away_at_the_start_is_waited_for(bucket_store: Store, faults: Relay, run: Run) -> None:
    async def scene() -> None:
        faults.plan = lambda *_: (503, "SlowDown")
        loader = make_loader(bucket_store)
        async with running(loader):
            await until(lambda: "S3 answered 503 SlowDown" in (loader.status.detail or ""))
            assert loader.status.reason == "loading"
            faults.plan = lambda *_: None
            await until(serves(loader, "1"))

    run(scene())


@pytest.mark.parametrize("fault", ["hang", "trickle", (503, "SlowDown")])
@pytest.mark.parametrize("where", ["aliases", "manifest.json", "onnx"])
def test_a_store_that_never_answers_is_given_up_at_the_deadline_and_holds_nothing(
    bucket_store: Store, faults: Relay, run: Run, fault: Any, where: str
) -> None:
    async def scene() -> None:
        faults.plan = lambda _, path: fault if where in path else None
        loader = make_loader(bucket_store, deadline_seconds=0.3)
        async with running(loader):
            await until(lambda: is_failed(loader))
            assert (loader.status.detail or "").startswith("not done within 0.3 s: ")
            faults.plan = lambda *_: None
            await until(serves(loader, "1"))

    run(scene())


def test_a_version_whose_files_hang_is_rejected_and_loaded_once_they_come(
    bucket_store: Store, faults: Relay, run: Run
) -> None:
    async def scene() -> None:
        loader = make_loader(bucket_store, deadline_seconds=0.3)
        async with running(loader):
            await until(serves(loader, "1"))
            faults.plan = lambda _, path: "hang" if "versions/2/model" in path else None
            point(bucket_store, "2")
            await until(lambda: loader.status.rejected)
            assert loader.current.manifest.version == "1"
            faults.plan = lambda *_: None
            await until(serves(loader, "2"))
            assert loader.status.rejected is None

    run(scene())


@pytest.mark.parametrize("where", ["aliases", "onnx"])
def test_cancelling_while_the_store_hangs_ends_at_once(
    bucket_store: Store, faults: Relay, run: Run, where: str
) -> None:
    async def scene() -> None:
        faults.plan = lambda _, path: "hang" if where in path else None
        loader = make_loader(bucket_store)
        faults.seen.clear()
        async with running(loader):
            await until(lambda: any(where in line for line in faults.seen))

    run(scene())


def test_pauses_grow_up_to_a_bound_and_differ_from_task_to_task(store: Store) -> None:
    loader = Loader(f"{store.uri}/iris/1", metrics=Metrics(), poll_seconds=30, load_deadline_seconds=1)
    assert loader._pause(1) < 0.5
    for failures in (50, 100_000):
        pauses = {loader._pause(failures) for _ in range(20)}
        assert 24 <= min(pauses) < max(pauses) <= 36
