"""A real model, published once for all tests: two versions on either engine, to be copied into any store."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping
from typing import Literal

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from service.bundle import Manifest
from service.publish import publish
from service.stores import Store, open_store
from service.stores.fetch import fetch

Engine = Literal["onnx", "sklearn"]


@functools.cache
def published(version: str = "1", engine: Engine = "onnx") -> tuple[Manifest, Mapping[str, bytes]]:
    """Version "1" or "2" of a small classifier of the iris data, which differ in their coefficients."""
    rows, classes = load_iris(return_X_y=True)
    estimator = LogisticRegression(C=float(version), max_iter=1000).fit(rows, classes)
    with tempfile.TemporaryDirectory() as folder:
        publish(estimator, rows[::3], name="iris", store=folder, version=version, engine=engine)
        bundle = fetch(open_store(folder), "iris", version)
    return bundle.manifest, bundle.files


def put(store: Store, *versions: str, engine: Engine = "onnx") -> None:
    """Writes these versions into a store."""
    for version in versions:
        store.create_version(*published(version, engine))
