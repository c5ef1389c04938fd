from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from service.bundle import Feature, Outputs, Rows, Signature
from service.compile.compiler import compile_graph, join_answers
from service.compile.graph import Graph
from service.engines.onnx import OnnxEngine
from service.errors import BundleError, EngineError
from service.publish.preparation import prepare

NUMBER = Feature(name="n", dtype="float64", nullable=True)


def _signature(outputs: Outputs, *features: Feature) -> Signature:
    return Signature(container="frame", features=features or (NUMBER,), outputs=outputs)


def _echo(signature: Signature) -> OnnxEngine:
    """Answers the matrix that the graph was given."""
    graph = Graph([f.categories or () if f.is_string else None for f in signature.features])
    return OnnxEngine(graph.build({"predictions": graph.rows}, features=len(signature.features)), signature)


def _labels(classes: tuple[Any, ...], dtype: Any) -> list[Any]:
    """What an engine answers whose graph answers the class index that stands in the row."""
    graph = Graph([None])
    index = graph.rows.reshape(-1).cast(np.int64)
    outputs = Outputs(dtype=dtype, classes=classes)
    engine = OnnxEngine(graph.build({"predictions": index}, features=1), _signature(outputs))
    rows = Rows(np.arange(len(classes), dtype=np.float64)[:, None], np.empty((len(classes), 0), object))
    answers: list[Any] = engine.predict(rows).predictions.tolist()
    return answers


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [(("no", "yes"), "string"), ((False, True), "bool"), ((-5, 7, 9), "int64"), ((0.5, 1.5), "float64")],
)
def test_labels_come_back_in_their_own_type(classes: tuple[Any, ...], dtype: str) -> None:
    answers = _labels(classes, dtype)
    assert answers == list(classes)
    assert {type(answer) for answer in answers} == {type(classes[0])}


def test_strings_become_their_place_among_the_categories() -> None:
    city = Feature(name="city", dtype="string", nullable=True, categories=("Bergen", "Oslo"), frame_dtype="object")
    tier = city.model_copy(update={"name": "tier", "frame_dtype": "category"})
    engine = _echo(_signature(Outputs(dtype="float64", width=3), city, NUMBER, tier))
    strings = np.array([["Oslo", "Oslo"], ["Paris", "Paris"], [None, None], ["Bergen", "Bergen"]], object)
    answers = engine.predict(Rows(np.array([[1.5], [np.nan], [3.0], [4.0]]), strings)).predictions
    np.testing.assert_array_equal(
        answers, [[1, 1.5, 1], [-1, np.nan, np.nan], [np.nan, 3, np.nan], [0, 4, 0]]
    )  # pandas makes a value unknown to its category dtype a missing one


def test_float32_features_are_rounded_as_the_estimators_rows_were() -> None:
    single = Feature(name="s", dtype="float32", nullable=False)
    engine = _echo(_signature(Outputs(dtype="float64", width=2), single, NUMBER))
    rows = Rows(np.array([[0.1, 0.1]]), np.empty((1, 0), object))
    assert engine.predict(rows).predictions.tolist() == [[float(np.float32(0.1)), 0.1]]
    assert rows.numbers.tolist() == [[0.1, 0.1]]


def test_a_graph_that_lacks_an_output_is_refused() -> None:
    graph = Graph([None])
    model = graph.build({"predictions": graph.rows}, features=1)
    with pytest.raises(BundleError, match="probabilities"):
        OnnxEngine(model, _signature(Outputs(dtype="float64", width=1, probabilities=True)))


def test_a_graph_that_answers_in_another_number_fails() -> None:
    graph = Graph([None])
    engine = OnnxEngine(
        graph.build({"predictions": graph.rows.sum(0, keepdims=True)}, features=1),
        _signature(Outputs(dtype="float64", width=1)),
    )
    with pytest.raises(EngineError, match="1 rows of 3"):
        engine.predict(Rows(np.zeros((3, 1)), np.empty((3, 0), object)))


def test_an_answer_does_not_depend_on_its_batch() -> None:
    X = np.random.default_rng(0).normal(size=(64, 30))
    estimator = LogisticRegression().fit(X, X[:, 0] > 0)
    signature = prepare(estimator, X).signature
    engine = OnnxEngine(compile_graph(estimator, signature), signature)
    rows = Rows(X, np.empty((64, 0), object))
    whole = engine.predict(rows, probabilities=True).probabilities
    for size in (1, 7, 33):
        parts = [engine.predict(rows.take(slice(i, i + size)), probabilities=True) for i in range(0, 64, size)]
        joined = join_answers(parts).probabilities
        np.testing.assert_allclose(np.asarray(joined), np.asarray(whole), rtol=0, atol=1e-15)


def test_nothing_is_reported_to_the_maker_of_the_runtime(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "ORT_DISABLE_TELEMETRY")}
    command = [sys.executable, "-c", "import service.engines.onnx"]
    subprocess.run(command, env={**environment, "HOME": str(tmp_path)}, check=True)
    assert not list(tmp_path.rglob("*"))  # which would hold an identifier of the machine, and what is to be sent
