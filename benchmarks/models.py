"""The models that are served, and the requests with the estimator's own answers to them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from service.bundle import Manifest
from service.publish import publish
from service.stores.uri import ModelUri, parse_store

_ROWS = 2000
_SAMPLE_ROWS = 400
_DIFFERENT_REQUESTS = 8
_ALIAS = "production"


class Asked(NamedTuple):
    """Rows of one request, and what the estimator predicts for them."""

    rows: list[list[Any]]
    predictions: list[Any]


class ServedModel(NamedTuple):
    """A fitted estimator, published, and in a folder: ``model.joblib``, ``about.json``, ``model.onnx`` of a graph."""

    name: str
    folder: Path
    uri: str
    engine: str
    estimator: Any
    frame: pd.DataFrame

    def asked(self, rows: int) -> list[Asked]:
        """Requests of so many rows, the same in every run."""
        samples = [self.frame.sample(rows, replace=True, random_state=i) for i in range(_DIFFERENT_REQUESTS)]
        return [Asked(each.values.tolist(), self.estimator.predict(each).tolist()) for each in samples]


def _numbers(features: int) -> tuple[pd.DataFrame, Any]:
    matrix, classes = make_classification(_ROWS, features, n_informative=6, random_state=0)
    frame = pd.DataFrame(np.round(matrix, 4), columns=[f"f{i}" for i in range(features)])
    return frame, np.array(["no", "yes"])[classes]


def _logistic() -> tuple[Any, pd.DataFrame]:
    frame, labels = _numbers(30)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, labels), frame


def _forest() -> tuple[Any, pd.DataFrame]:
    frame, labels = _numbers(30)
    return RandomForestClassifier(100, random_state=0, n_jobs=1).fit(frame, labels), frame


def _mixed() -> tuple[Any, pd.DataFrame]:
    """Ten numbers and four strings of twelve categories each."""
    frame, labels = _numbers(10)
    random = np.random.default_rng(0)
    strings = [f"s{i}" for i in range(4)]
    for name in strings:
        frame[name] = random.choice([f"{name}-{letter}" for letter in "abcdefghijkl"], len(frame)).astype(object)
    numbers = [name for name in frame if name not in strings]
    encode = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(), strings))
    return make_pipeline(encode, LogisticRegression()).fit(frame, labels), frame


def _neighbors() -> tuple[Any, pd.DataFrame]:
    """A metric that no graph computes."""
    frame, labels = _numbers(30)
    return KNeighborsClassifier(metric="correlation", algorithm="brute").fit(frame, labels), frame


FITS: dict[str, Callable[[], tuple[Any, pd.DataFrame]]] = {
    "logistic": _logistic,
    "forest": _forest,
    "mixed": _mixed,
    "neighbors": _neighbors,
}


def make_model(name: str, folder: Path) -> ServedModel:
    """Fits the model of that name and publishes it into a store below ``folder``."""
    estimator, frame = FITS[name]()
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    store = place / "store"
    published = publish(estimator, frame.head(_SAMPLE_ROWS), name=name, store=str(store), alias=_ALIAS)
    version = store / name / "versions" / published.version
    manifest = Manifest.model_validate_json((version / "manifest.json").read_bytes())
    if published.engine == "onnx":
        shutil.copy(version / manifest.engine.file, place / "model.onnx")
    joblib.dump(estimator, place / "model.joblib")
    strings = {i: feature.categories for i, feature in enumerate(manifest.signature.features) if feature.is_string}
    about = {"classes": estimator.classes_.tolist(), "strings": strings, "features": list(frame.columns)}
    (place / "about.json").write_text(json.dumps(about))
    uri = ModelUri(parse_store(str(store)), name, None, _ALIAS)
    return ServedModel(name, place, str(uri), published.engine, estimator, frame)
