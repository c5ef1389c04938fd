"""Publishing: signature, compile, parity, golden rows, write."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from service.bundle import EngineSpec, File, Golden, Manifest, Parity, sha256
from service.compile.worker import CompileWorker
from service.promotion import promote
from service.publish.engine_choice import EngineChoice, choose_engine
from service.publish.golden import choose_golden
from service.publish.preparation import Prepared, prepare
from service.publish.reference import Reference
from service.stores import open_store
from service.stores.uri import ModelUri, check_name, parse_store

_LIBRARIES = ("scikit-learn", "numpy", "onnxruntime", "skops", "pandas")


def _silent(_line: str) -> None:
    """Progress that nobody asked to see."""


class Published(NamedTuple):
    """What publishing made. ``created`` is False if the store held this version with this content already."""

    uri: str
    version: str
    engine: str
    parity: Parity
    created: bool


def publish(
    estimator: Any,
    rows: Any,
    *,
    name: str,
    store: str,
    version: str | None = None,
    alias: str | None = None,
    engine: EngineChoice = "auto",
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = _silent,
) -> Published:
    """Publishes a fitted estimator under ``name`` into the store at the URI ``store``.

    ``rows`` are sample rows in the form that the estimator predicts: an array (rows, features), a pandas frame, or a
    list of texts; some hundreds are enough. Without ``version``, the version is derived from the content. With
    ``alias``, the alias is moved to the version once it is written.

    Raises PublishError if the estimator or its rows cannot be served, CompileError if the engine asked for does not
    answer as the estimator does, UsageError for a wrong name or URI, ConflictError if the version exists with other
    content, StoreError otherwise.
    """
    place = parse_store(store)
    for text, what in ((name, "a model's name"), (version, "a version"), (alias, "an alias")):
        if text is not None:
            check_name(text, what)
    progress("reading the sample rows and asking the estimator what it takes")
    with CompileWorker() as worker:
        prepared = prepare(estimator, rows)
        counts = f"{len(prepared.sample.rows.numbers)} sample rows and {len(prepared.hard.rows.numbers)} hard rows"
        progress(f"compiling, and measuring on {counts}")
        spec, artifact, parity = choose_engine(estimator, prepared, worker.compile, engine)
    reference = Reference(estimator, prepared.signature)
    golden = choose_golden(prepared, reference, with_hard_rows=spec.name == "onnx")
    manifest = _manifest(estimator, prepared, spec, artifact, parity, golden, name, version, metrics, tags)
    progress(f"writing version {manifest.version} ({spec.name}, {len(artifact):,} bytes)")
    created = open_store(place).create_version(manifest, {spec.file: artifact})
    if alias is not None:
        promote(open_store(place), name, manifest.version, alias, progress=progress)
    uri = ModelUri(place, name, manifest.version, None)
    return Published(str(uri), manifest.version, spec.name, parity, created)


def _manifest(
    estimator: Any,
    prepared: Prepared,
    spec: EngineSpec,
    artifact: bytes,
    parity: Parity,
    golden: Golden,
    name: str,
    version: str | None,
    metrics: Mapping[str, float] | None,
    tags: Mapping[str, str] | None,
) -> Manifest:
    versions = {library: importlib.metadata.version(library) for library in _LIBRARIES}
    manifest = Manifest(
        name=name,
        version=version or "unversioned",
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        task=prepared.task,
        estimator=_describe_estimator(estimator),
        engine=spec,
        files=(File(path=spec.file, size=len(artifact), sha256=sha256(artifact)),),
        signature=prepared.signature,
        parity=parity,
        golden=golden,
        metrics=dict(metrics or {}),
        tags=dict(tags or {}),
        versions={"python": platform.python_version(), **versions},
    )
    return manifest if version else manifest.model_copy(update={"version": manifest.content_sha256()[:12]})


def _describe_estimator(estimator: Any) -> str:
    """The class, and for a pipeline the classes of its steps."""
    steps = getattr(estimator, "steps", None)
    if isinstance(steps, list):
        return " > ".join(type(step).__name__ for _, step in steps)
    return type(estimator).__name__
