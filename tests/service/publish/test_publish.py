from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from service.bundle import Manifest, parse_manifest
from service.errors import CompileError, ConflictError, PublishError, UsageError
from service.publish import publish
from service.stores import open_store
from tests.service.kinds import TEXTS, build

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.where(X[:, 0] > 0, "up", "down")


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store")


def _manifest(store: str, name: str, version: str) -> Manifest:
    return parse_manifest(open_store(store).read_manifest(name, version))


def _files(store: str) -> list[Path]:
    return [path for path in Path(store).rglob("*") if path.is_file()]


def test_the_manifest_tells_what_was_published_and_measured(store: str) -> None:
    estimator = LogisticRegression().fit(X, Y)
    published = publish(estimator, X, name="m", store=store, metrics={"auc": 0.9}, tags={"team": "a"})
    manifest = _manifest(store, "m", published.version)
    assert (manifest.task, manifest.estimator, manifest.engine.name) == (
        "classification",
        "LogisticRegression",
        "onnx",
    )
    assert manifest.signature.outputs.classes == ("down", "up")
    assert (manifest.metrics, manifest.tags) == ({"auc": 0.9}, {"team": "a"})
    assert manifest.parity == published.parity
    assert manifest.parity.sample_rows == 60
    assert manifest.parity.hard_rows > 300
    assert (
        list(manifest.golden.predictions[:16]) == estimator.predict(np.array(manifest.golden.instances[:16])).tolist()
    )


def test_the_version_follows_from_the_content(store: str) -> None:
    first = publish(LogisticRegression().fit(X, Y), X, name="m", store=store)
    again = publish(LogisticRegression().fit(X, Y), X, name="m", store=store)
    other = publish(LogisticRegression(C=0.1).fit(X, Y), X, name="m", store=store)
    assert first.version == again.version
    assert (first.created, again.created, other.created) == (True, False, True)
    assert other.version != first.version


def test_other_content_under_an_existing_version_is_refused_and_changes_nothing(store: str) -> None:
    publish(LogisticRegression().fit(X, Y), X, name="m", store=store, version="7")
    before = _manifest(store, "m", "7")
    with pytest.raises(ConflictError):
        publish(LogisticRegression(C=0.1).fit(X, Y), X, name="m", store=store, version="7")
    assert _manifest(store, "m", "7") == before


def test_an_alias_points_to_what_was_published(store: str) -> None:
    published = publish(LogisticRegression().fit(X, Y), X, name="m", store=store, alias="production")
    pointer = open_store(store).read_alias("m", "production")
    assert pointer is not None
    assert pointer.alias.version == published.version


def test_an_engine_can_be_forced(store: str) -> None:
    published = publish(LogisticRegression().fit(X, Y), X, name="m", store=store, engine="sklearn")
    assert published.engine == "sklearn"
    assert [candidate.engine for candidate in published.parity.candidates] == ["sklearn"]


def test_an_engine_that_is_forced_fails_rather_than_degrade(store: str) -> None:
    kind = build("TfidfVectorizer LogisticRegression")
    with pytest.raises(CompileError, match="TfidfVectorizer"):
        publish(kind.estimator, TEXTS, name="m", store=store, engine="onnx")
    assert _files(store) == []


def test_a_fallback_says_why_there_is_no_graph(store: str) -> None:
    kind = build("TfidfVectorizer LogisticRegression")
    published = publish(kind.estimator, TEXTS, name="m", store=store)
    graph, fallback = published.parity.candidates
    assert (graph.engine, fallback.engine, fallback.refused) == ("onnx", "sklearn", None)
    assert "TfidfVectorizer" in (graph.refused or "")
    assert _manifest(store, "m", published.version).engine.types is not None


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (LogisticRegression(), "not fitted"),
        (PCA().fit(X), "no predict"),
        (DBSCAN().fit(X), "no predict"),
        (LinearRegression().fit(X[:, :2], X[:, 2]), "features"),
        (make_pipeline(FunctionTransformer(lambda rows: rows * 2), LinearRegression()).fit(X, X[:, 0]), "lambda"),
        ("not an estimator", "no predict"),
    ],
    ids=["unfitted", "transformer", "no predict", "other columns", "own function", "text"],
)
def test_what_cannot_be_served_is_refused_in_one_line(store: str, estimator: Any, reason: str) -> None:
    with pytest.raises(PublishError, match=reason) as caught:
        publish(estimator, X, name="m", store=store)
    assert "\n" not in str(caught.value)
    assert _files(store) == []


@pytest.mark.parametrize(
    "wrong", [{"name": "../m"}, {"name": ""}, {"version": "a/b"}, {"alias": "@"}, {"store": "ftp://host/x"}], ids=repr
)
def test_wrong_names_are_refused_before_anything_is_done(store: str, wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        publish(LogisticRegression().fit(X, Y), X, **{"name": "m", "store": store, **wrong})  # type: ignore[arg-type]  # some of each
    assert _files(store) == []


def test_progress_is_told_line_by_line(store: str) -> None:
    lines: list[str] = []
    publish(LogisticRegression().fit(X, Y), X, name="m", store=store, progress=lines.append)
    assert len(lines) >= 3
    assert any("hard rows" in line for line in lines)
