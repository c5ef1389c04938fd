from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from service.batching import Cost, Wanted
from service.bundle import Answers, EngineSpec, File, Golden, Manifest, Rows, sha256
from service.compile.compiler import compile_and_measure
from service.errors import BundleError, EngineError, GoldenError
from service.model import Model, build_model
from service.publish.engine_choice import choose_engine
from service.publish.golden import choose_golden
from service.publish.preparation import prepare
from service.publish.reference import Reference
from tests.serving import WAIT_SECONDS

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.where(X[:, 0] > 0, "up", "down")


def _bundle(estimator: Any, y: Any = Y) -> tuple[Manifest, dict[str, bytes]]:
    prepared = prepare(estimator.fit(X, y), X)
    spec, artifact, parity = choose_engine(estimator, prepared, compile_graph=compile_and_measure)
    golden = choose_golden(prepared, Reference(estimator, prepared.signature), with_hard_rows=True)
    manifest = Manifest(
        name="m",
        version="1",
        created_at="2026-01-01T00:00:00+00:00",
        task=prepared.task,
        estimator=type(estimator).__name__,
        engine=spec,
        files=(File(path=spec.file, size=len(artifact), sha256=sha256(artifact)),),
        signature=prepared.signature,
        parity=parity,
        golden=golden,
        versions={},
    )
    return manifest, {spec.file: artifact}


def _with_golden(manifest: Manifest, **update: Any) -> Manifest:
    golden = Golden(**{**manifest.golden.model_dump(), **update})
    return manifest.model_copy(update={"golden": golden})


def test_a_model_answers_as_its_estimator() -> None:
    estimator = RandomForestClassifier(5, random_state=0)
    manifest, files = _bundle(estimator)
    model = build_model(manifest, "0" * 64, files)
    answers = asyncio.run(model.predict(Rows(X, np.empty((60, 0), object)), probabilities=True))
    assert answers.predictions.tolist() == estimator.predict(X).tolist()
    np.testing.assert_array_equal(answers.probabilities, estimator.predict_proba(X))


def test_a_bundle_survives_its_own_json() -> None:
    manifest, files = _bundle(LogisticRegression())
    build_model(Manifest.model_validate_json(manifest.encode()), "0" * 64, files)


def test_another_golden_label_is_found() -> None:
    manifest, files = _bundle(LogisticRegression())
    first, *others = manifest.golden.predictions
    other = "down" if first == "up" else "up"
    with pytest.raises(GoldenError, match="labels"):
        build_model(_with_golden(manifest, predictions=(other, *others)), "0" * 64, files)


def test_another_golden_number_is_found() -> None:
    manifest, files = _bundle(LinearRegression(), X @ [1.0, 2.0, 3.0])
    first, *others = manifest.golden.predictions
    with pytest.raises(GoldenError, match="numbers differ"):
        build_model(_with_golden(manifest, predictions=(first + 0.01, *others)), "0" * 64, files)


def test_another_models_artifact_is_found() -> None:
    manifest, _ = _bundle(LogisticRegression())
    _, others = _bundle(LogisticRegression(), np.where(X[:, 1] > 0, "up", "down"))
    with pytest.raises(GoldenError):
        build_model(manifest, "0" * 64, {manifest.engine.file: next(iter(others.values()))})


def test_golden_rows_that_the_signature_refuses_are_found() -> None:
    manifest, files = _bundle(LogisticRegression())
    instances = (["text", 1.0, 2.0], *manifest.golden.instances[1:])
    with pytest.raises(BundleError, match="golden rows do not fit"):
        build_model(_with_golden(manifest, instances=instances), "0" * 64, files)


@pytest.mark.parametrize("artifact", [b"", b"\x80\x04pickle", b"PK\x03\x04", b"\x08\x0a" * 20])
@pytest.mark.parametrize("engine", ["onnx", "sklearn"])
def test_an_artifact_of_junk_is_refused(engine: str, artifact: bytes) -> None:
    manifest, _ = _bundle(LogisticRegression())
    spec = EngineSpec(name=engine, version="1", file=manifest.engine.file)  # type: ignore[arg-type]  # both are names
    with pytest.raises(BundleError):
        build_model(manifest.model_copy(update={"engine": spec}), "0" * 64, {spec.file: artifact})


class _Engine:
    """Notes the thread of each call, and answers no more rows than its limit."""

    def __init__(self, limit: int = 1000) -> None:
        self.limit = limit
        self.threads: list[threading.Thread] = []

    def predict(self, rows: Rows, **_: bool) -> Answers:
        self.threads.append(threading.current_thread())
        return Answers(rows.numbers[: self.limit, 0])


@pytest.mark.parametrize(
    ("cost", "inline"), [(Cost(1e-5, 1e-6), True), (Cost(1e-5, 1e-4), False), (Cost(5e-3, 0.0), False)]
)
def test_only_a_short_call_runs_in_the_event_loop(cost: Cost, inline: bool) -> None:
    manifest, _ = _bundle(LogisticRegression())
    engine = _Engine()
    model = Model(manifest, "0" * 64, engine, cost, batches=True)
    asyncio.run(model.predict(Rows(X, np.empty((60, 0), object))))
    assert (engine.threads == [threading.main_thread()]) is inline


@pytest.mark.parametrize("cost", [Cost(1e-5, 1e-6), Cost(5e-3, 0.0)])
def test_answers_in_another_number_than_the_rows_fail(cost: Cost) -> None:
    manifest, _ = _bundle(LogisticRegression())
    model = Model(manifest, "0" * 64, _Engine(59), cost, batches=True)
    with pytest.raises(EngineError, match="59 rows of 60"):
        asyncio.run(model.predict(Rows(X, np.empty((60, 0), object))))


def test_a_graph_is_called_side_by_side_on_all_of_the_tasks_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.model.processor_share", lambda: 3)
    monkeypatch.setattr("service.model.INLINE_SECONDS", 0.0)  # every call goes to a worker
    manifest, files = _bundle(LogisticRegression())
    model = build_model(manifest, "0" * 64, files)
    together, inside = threading.Barrier(3), model._engine.predict
    monkeypatch.setattr(model._engine, "predict", lambda *a, **k: together.wait(WAIT_SECONDS) >= 0 and inside(*a, **k))

    async def ask() -> list[Answers]:
        rows = Rows(X[:2], np.empty((2, 0), np.object_))
        return await asyncio.gather(*(model.predict(rows) for _ in range(3)))

    assert len(asyncio.run(ask())) == 3


def test_parts_are_answered_from_one_call() -> None:
    estimator = RandomForestClassifier(5, random_state=0)
    manifest, files = _bundle(estimator)
    model = build_model(manifest, "0" * 64, files)
    parts = [Rows(X[a:b], np.empty((b - a, 0), np.object_)) for a, b in ((0, 1), (1, 4), (4, 60))]
    answers = model.answer(parts, Wanted(probabilities=True, decision_values=False))
    for part, answer in zip(parts, answers, strict=True):
        assert answer.predictions.tolist() == estimator.predict(part.numbers).tolist()
        np.testing.assert_array_equal(answer.probabilities, estimator.predict_proba(part.numbers))
