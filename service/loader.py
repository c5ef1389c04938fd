"""Owns the model that is served: fetches, verifies and builds it, and swaps it when its alias moves."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Literal, NamedTuple, TypeVar

from service.bundle import Manifest
from service.errors import (
    AlphardError,
    BundleError,
    EngineError,
    GoldenError,
    NotReadyError,
    StoreError,
    UnavailableError,
)
from service.model import Model, build_model
from service.stores import Store, open_store
from service.stores.fetch import Bundle, fetch
from service.stores.uri import parse_model
from service.telemetry import Metrics

Build = Callable[[Manifest, str, Mapping[str, bytes]], Model]

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
_POLL_PAUSES = 8  # a poll that fails again and again is made this many times less often, at most

_LOGGER = logging.getLogger("alphard.loader")
_T = TypeVar("_T")


class Rejection(NamedTuple):
    """A version that the alias points to and that is not served, and why."""

    version: str
    detail: str


class Status(NamedTuple):
    """What is served, or why nothing is.

    Without a model, ``reason`` is "loading" or "failed" and ``detail`` says at what. With one, both are None, and
    ``rejected`` is the version that should be served in its place.
    """

    model: Model | None
    reason: Literal["loading", "failed"] | None
    detail: str | None
    rejected: Rejection | None = None


class _Target(NamedTuple):
    """The version that should be served, and where that was read."""

    version: str
    manifest_sha256: str | None
    tag: str | None


class Loader:
    """The one writer of what is current.

    ``build`` makes a model of verified bytes and runs in a thread. Raises UsageError if ``uri`` names no model.
    """

    def __init__(
        self,
        uri: str,
        *,
        metrics: Metrics,
        poll_seconds: float,
        load_deadline_seconds: float,
        build: Build = build_model,
    ) -> None:
        self._uri = parse_model(uri)
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._deadline_seconds = load_deadline_seconds
        self._build = build
        self._store: Store | None = None
        self._settled_tag: str | None = None
        self._doing = ""
        self._failures = 0
        self._fetching = False
        self._status = Status(None, "loading", "the model is about to be loaded")

    @property
    def status(self) -> Status:
        return self._status

    @property
    def current(self) -> Model:
        """The model to answer with; whoever holds it may use it to the end, even if another takes its place.

        Raises NotReadyError if there is none.
        """
        if self._status.model is None:
            raise NotReadyError(self._status.reason or "", self._status.detail or "")
        return self._status.model

    @property
    def fetching(self) -> bool:
        """Whether a version was found that should be served, and is on its way."""
        return self._fetching

    async def run(self) -> None:
        """Loads the model and follows its alias until cancelled; a pinned version ends it once that is loaded.

        Never raises: what goes wrong is in ``status``, in the log and in the metrics, and is tried again.
        """
        while (pause := await self.turn()) is not None:
            await asyncio.sleep(pause)

    async def turn(self) -> float | None:
        """Makes what should be served current, if it is not: one round of ``run``. Cancelled, it leaves no trace.

        The seconds until the next one, or None when none is needed.
        """
        try:
            self._failures = 0 if await self._make_current() else self._failures + 1
        finally:
            self._fetching = False
        if self._uri.version is not None and self._status.model is not None:
            return None
        return self._pause(self._failures)

    def _pause(self, failures: int) -> float:
        if self._status.model is None:
            return _backoff(failures, self._poll_seconds)
        return _jitter(self._poll_seconds * min(1 + failures, _POLL_PAUSES))

    async def _make_current(self) -> bool:
        """Whether it succeeded, or nothing was to be done."""
        target = None
        started_at = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline_seconds):
                target = await self._find()
                if target is None or self._is_served(target):
                    return True
                self._fetching = True
                bundle = await self._fetch(target)
            # Building takes processor time that nothing can stop, so a deadline would only start it twice.
            self._do(f"building {self._uri.name} {target.version} and reproducing its golden answers")
            model = await asyncio.to_thread(self._build, bundle.manifest, bundle.manifest_sha256, bundle.files)
        except TimeoutError:
            self._fail(target, UnavailableError(f"not done within {self._deadline_seconds:g} s: {self._doing}"))
            return False
        except Exception as error:  # whatever a broken bundle runs into must not end the service
            self._fail(target, error)
            return False
        self._swap(model, target, time.monotonic() - started_at)
        return True

    async def _find(self) -> _Target | None:
        """The version that should be served, or None if the alias has not moved since that was settled."""
        self._do(f"looking for {self._uri}")
        if self._status.model is not None:
            return await _in_thread(self._read_target)
        return await self._patiently(self._read_target)

    async def _fetch(self, target: _Target) -> Bundle:
        self._do(f"fetching {self._uri.name} {target.version} from {self._uri.store}")
        return await self._patiently(
            partial(fetch, self._open(), self._uri.name, target.version, target.manifest_sha256)
        )

    def _is_served(self, target: _Target) -> bool:
        """Whether the alias came back to what is served; then a version rejected meanwhile is of no interest."""
        model = self._status.model
        if model is None or (model.manifest.version, model.manifest_sha256) != (target.version, target.manifest_sha256):
            return False
        self._settle(model, target)
        return True

    def _read_target(self) -> _Target | None:
        store, uri = self._open(), self._uri
        if uri.version is not None:
            return _Target(uri.version, None, None)
        pointer = store.poll_alias(uri.name, uri.alias or "", self._settled_tag)
        return pointer and _Target(pointer.alias.version, pointer.alias.manifest_sha256, pointer.tag)

    def _open(self) -> Store:
        if self._store is None:
            self._store = open_store(self._uri.store)
        return self._store

    def _swap(self, model: Model, target: _Target, seconds: float) -> None:
        """Whoever asks from now on gets this model; the one before goes with the last request that holds it."""
        before = self._status.model
        self._settle(model, target)
        self._metrics.count("model_loads", outcome="loaded")
        self._metrics.observe("model_load", seconds)
        fields = {
            "event": "model_loaded",
            "model_name": self._uri.name,
            "model_version": target.version,
            "model_engine": model.manifest.engine.name,
            "replaced_version": before.manifest.version if before else None,
            "load_seconds": round(seconds, 3),
        }
        _LOGGER.info("model loaded", extra=fields)

    def _settle(self, model: Model, target: _Target) -> None:
        self._settled_tag = target.tag
        self._status = Status(model, None, None)
        self._metrics.gauge("model_rejected", 0)

    def _do(self, what: str) -> None:
        self._doing = what
        if self._status.model is None and self._status.reason == "loading":
            self._status = Status(None, "loading", what)

    def _fail(self, target: _Target | None, error: Exception) -> None:
        detail = str(error) if isinstance(error, AlphardError) else f"{type(error).__name__}: {error}"
        detail = " ".join(detail.split())
        fields = {"model_name": self._uri.name, "model_uri": str(self._uri), "detail": detail}
        model = self._status.model
        if target is None and model is not None:
            self._metrics.count("alias_poll_failures")
            _LOGGER.warning("alias not read", extra={"event": "alias_not_read", **fields})
            return
        if model is None:
            self._status = Status(None, "failed", detail)
        elif target is not None:
            self._status = Status(model, None, None, Rejection(target.version, detail))
            self._metrics.gauge("model_rejected", 1)
            if not isinstance(error, StoreError):  # it will be as bad the next time: only another target helps
                self._settled_tag = target.tag
        reason = _outcome(error)
        self._metrics.count("model_loads", outcome=reason)
        version = target.version if target else None
        unforeseen = error if not isinstance(error, AlphardError) else None
        said = {"event": "model_rejected", "reason": reason, "model_version": version, **fields}
        _LOGGER.error("model rejected", extra=said, exc_info=unforeseen)

    async def _patiently(self, work: Callable[[], _T]) -> _T:
        """The work's result, tried again for as long as the store is unavailable; the deadline is the caller's."""
        doing, attempt = self._doing, 0
        while True:
            try:
                return await _in_thread(work)
            except UnavailableError as error:
                self._do(f"{doing}: {error}")
                _LOGGER.warning(
                    "store unavailable",
                    extra={"event": "store_unavailable", "model_name": self._uri.name, "detail": str(error)},
                )
            await asyncio.sleep(_backoff(attempt, LONGEST_PAUSE_SECONDS))
            attempt += 1


async def _in_thread(work: Callable[[], _T]) -> _T:
    """What the work returns or raises, from a thread of its own that is left behind if nobody waits any longer.

    A store that never answers must hold neither the next attempt nor the end of the process, as it would in a pool.
    """
    result: Future[_T] = Future()
    result.set_running_or_notify_cancel()

    def run() -> None:
        try:
            value = work()
        except BaseException as error:
            result.set_exception(error)
        else:
            result.set_result(value)

    threading.Thread(target=run, name="alphard-store", daemon=True).start()
    return await asyncio.wrap_future(result)


def _backoff(failures: int, longest_seconds: float) -> float:
    return _jitter(min(FIRST_PAUSE_SECONDS * 2 ** min(failures, 16), longest_seconds))


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  # spreads the tasks, guards nothing


def _outcome(error: Exception) -> str:
    kinds = {GoldenError: "golden", BundleError: "bundle", EngineError: "engine", StoreError: "store"}
    return next((outcome for kind, outcome in kinds.items() if isinstance(error, kind)), "error")
