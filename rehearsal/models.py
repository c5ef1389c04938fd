"""What the scenes serve: a model, really published, in two versions that answer differently, and two broken ones.

``make_models`` publishes once in a process; a scene's store is then filled with ``objects``.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from rehearsal.errors import RefusedError, RehearsalError
from rehearsal.exam import Exam, Solution
from service.bundle import Alias, sha256
from service.example import fit_example
from service.publish import publish
from service.stores import open_store
from service.stores.fetch import Bundle, fetch
from service.stores.uri import ModelUri, parse_model

FIRST, SECOND = "1", "2"
"""Two estimators that were fitted differently to the same rows; what each answers is in the exam."""

OTHER_ANSWERS = "3"
"""Claims to be as SECOND and holds the artifact of FIRST, with hashes that are right: only its golden answers tell."""

DAMAGED = "4"
"""SECOND again, with an artifact that was changed after its hash was written down."""

_SMALL, _LARGE, _LARGE_ROWS = 32, 8, 256
_TOLD_APART = 0.01
"""By at least so much the versions' probabilities of each row asked alone differ."""

Objects = Mapping[str, bytes]


class Models(NamedTuple):
    """What a bucket holds: the objects of each version by key, and what a client may expect of FIRST and SECOND."""

    uri: ModelUri
    versions: Mapping[str, Objects]
    exam: Exam

    @property
    def bucket(self) -> str:
        return self.uri.store.bucket

    def objects(self, *versions: str) -> dict[str, bytes]:
        """The objects of these versions, for ``ObjectStore.fill``."""
        return {key: data for version in versions for key, data in self.versions[version].items()}

    def pointing(self, version: str) -> dict[str, bytes]:
        """The object of the alias, pointing to a version that nobody has verified."""
        manifest = self.versions[version][_key(self.uri, "versions", version, "manifest.json")]
        alias = Alias(version=version, manifest_sha256=sha256(manifest), promoted_at=datetime.now(UTC).isoformat())
        return {_key(self.uri, "aliases", f"{self.uri.alias}.json"): alias.encode()}

    async def promote(self, version: str, variables: Mapping[str, str]) -> None:
        """Verifies a version and moves the alias to it, by the service's own command.

        ``variables`` lead to the store, as ``ObjectStore.environment`` has them. Raises RehearsalError with what the
        command said.
        """
        store, alias = str(self.uri.store), str(self.uri.alias)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", "promote", self.uri.name, version, "--alias", alias, "--store", store),
            cwd=Path(__file__).parents[1],
            env={**os.environ, **variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise RehearsalError(f"the alias was not moved to {version}: {said.decode().strip()}")


def make_models(model_uri: str) -> Models:
    """The models for tasks that serve what this URI names. Raises RefusedError if that is no alias in a bucket."""
    uri = parse_model(model_uri)
    if uri.store.scheme != "s3" or uri.alias is None:
        raise RefusedError(f"{model_uri} cannot be rehearsed: promotion needs an alias in a bucket")
    bundles, exam = _published(uri.name)
    return Models(uri, {version: _objects(uri, bundle) for version, bundle in bundles.items()}, exam)


@functools.cache
def _published(name: str) -> tuple[dict[str, Bundle], Exam]:
    first, rows, metrics = fit_example()
    # Trained on the answers of the first, and so strongly regularized that it is less sure of them.
    second = clone(first).set_params(logisticregression__C=0.001).fit(rows, first.predict(rows))
    estimators = {FIRST: first, SECOND: second}
    bundles = {}
    with tempfile.TemporaryDirectory() as store:
        for version, estimator in estimators.items():
            publish(estimator, rows, name=name, store=store, version=version, metrics=metrics)
            bundles[version] = fetch(open_store(store), name, version)
    broken = {
        OTHER_ANSWERS: _with_other_answers(bundles[SECOND], bundles[FIRST]),
        DAMAGED: _damaged(bundles[SECOND]),
    }
    return {**bundles, **broken}, _exam(name, estimators, rows)


def _with_other_answers(claimed: Bundle, held: Bundle) -> Bundle:
    engine = claimed.manifest.engine.model_copy(update={"file": held.manifest.engine.file})
    changed = {"version": OTHER_ANSWERS, "engine": engine, "files": held.manifest.files}
    return claimed._replace(manifest=claimed.manifest.model_copy(update=changed), files=held.files)


def _damaged(bundle: Bundle) -> Bundle:
    """As many bytes as before, of which the last is another."""
    files = {path: data[:-1] + bytes([data[-1] ^ 1]) for path, data in bundle.files.items()}
    return bundle._replace(manifest=bundle.manifest.model_copy(update={"version": DAMAGED}), files=files)


def _objects(uri: ModelUri, bundle: Bundle) -> dict[str, bytes]:
    version = bundle.manifest.version
    files = {_key(uri, "versions", version, path): data for path, data in bundle.files.items()}
    return {**files, _key(uri, "versions", version, "manifest.json"): bundle.manifest.encode()}


def _key(uri: ModelUri, *parts: str) -> str:
    return "/".join((*uri.store.parts, uri.name, *parts))


def _exam(name: str, estimators: Mapping[str, Any], rows: Any) -> Exam:
    generator = np.random.default_rng(0)
    sure = [estimator.predict_proba(rows)[:, 0] for estimator in estimators.values()]
    (apart,) = np.nonzero(np.abs(sure[0] - sure[1]) > _TOLD_APART)
    small = [[index] for index in generator.choice(apart, _SMALL, replace=False)]
    large = [generator.choice(len(rows), _LARGE_ROWS, replace=False) for _ in range(_LARGE)]
    asked = [rows.iloc[chosen] for chosen in (*small, *large)]
    bodies = [
        json.dumps({"instances": each.to_numpy().tolist(), "probabilities": True}, separators=(",", ":")).encode()
        for each in asked
    ]
    solutions = [{version: _solve(estimator, each) for version, estimator in estimators.items()} for each in asked]
    return Exam(name, estimators[FIRST].classes_.tolist(), bodies, solutions)


def _solve(estimator: Any, rows: Any) -> Solution:
    return Solution(estimator.predict(rows).tolist(), estimator.predict_proba(rows).tolist())
