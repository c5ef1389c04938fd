from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from service.bundle import Answers, Signature
from service.compile import compiler
from service.compile.compiler import compile_and_measure, compile_graph
from service.compile.worker import CompileWorker
from service.errors import CompileError
from service.publish.preparation import Prepared, prepare

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] + 0.2 * X[:, 1] > 0).astype(int)


class _Unknown(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
    """An estimator that no converter knows."""


class _Endless(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
    def __setstate__(self, state: Any) -> None:
        while True:
            pass


class _Deadly(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
    def __setstate__(self, state: Any) -> None:
        import os

        os._exit(7)


def _prepared(estimator: Any) -> Prepared:
    return prepare(estimator.fit(X, Y), X)


def test_the_same_estimator_gives_the_same_graph() -> None:
    estimator = RandomForestClassifier(4, random_state=0)
    signature = _prepared(estimator).signature
    assert compile_graph(estimator, signature) == compile_graph(estimator, signature)


def test_a_graph_has_one_matrix_of_rows_as_its_input() -> None:
    estimator = LogisticRegression()
    model = onnx.load_from_string(compile_graph(estimator, _prepared(estimator).signature))
    assert [given.name for given in model.graph.input] == ["rows"]
    assert {output.name for output in model.graph.output} == {"predictions", "probabilities", "decision_values"}


def test_an_estimator_without_a_converter_has_no_graph() -> None:
    estimator = _Unknown()
    with pytest.raises(CompileError, match="_Unknown"):
        compile_graph(estimator, _prepared(estimator).signature)


def test_a_graph_that_answers_otherwise_is_refused_and_says_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = _prepared(LogisticRegression())
    other = LogisticRegression().fit(X, 1 - Y)
    compiled = compile_and_measure(other, prepared.signature, [prepared.sample, prepared.hard])
    assert compiled.refused is not None
    assert "labels differ" in compiled.refused
    assert compiled.agreement is not None
    assert compiled.agreement.label_agreement < 0.5


def test_a_converter_that_fails_is_an_engine_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise IndexError("out of leaves")

    monkeypatch.setattr(compiler, "predict", fail)
    prepared = _prepared(LogisticRegression())
    compiled = compile_and_measure(LogisticRegression(), prepared.signature, [prepared.sample])
    assert compiled.refused is not None
    assert "out of leaves" in compiled.refused


def test_compiling_apart_gives_what_compiling_here_gives() -> None:
    estimator = SVC(kernel="linear")
    prepared = _prepared(estimator)
    measured = [prepared.sample, prepared.hard]
    with CompileWorker() as worker:
        apart = worker.compile(estimator, prepared.signature, measured)
    assert apart == compile_and_measure(estimator, prepared.signature, measured)


def test_a_conversion_that_never_ends_is_killed() -> None:
    prepared = _prepared(LogisticRegression())
    with CompileWorker(timeout_seconds=8) as worker:
        compiled = worker.compile(_Endless().fit(X, Y), prepared.signature, [prepared.sample])
    assert compiled.refused == "its graph was not made within 8 seconds"


def test_a_conversion_that_takes_its_process_down_is_refused() -> None:
    prepared = _prepared(LogisticRegression())
    with CompileWorker() as worker:
        compiled = worker.compile(_Deadly().fit(X, Y), prepared.signature, [prepared.sample])
    assert compiled.refused is not None
    assert "status 7" in compiled.refused


def test_an_estimator_that_cannot_be_pickled_is_refused() -> None:
    estimator = LogisticRegression().fit(X, Y)
    prepared = prepare(estimator, X)
    estimator.hook = lambda: None
    with CompileWorker() as worker:
        compiled = worker.compile(estimator, prepared.signature, [prepared.sample])
    assert compiled.refused is not None
    assert "cannot be handed to the compiler" in compiled.refused


def test_rows_are_measured_one_at_a_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        """Answers wrongly where a row comes alone."""

        def __init__(self, _model: bytes, signature: Signature) -> None:
            self._signature = signature

        def predict(self, rows: Any, **_: Any) -> Answers:
            right = LogisticRegression().fit(X, Y)
            answers = Answers(
                right.predict(rows.numbers), right.predict_proba(rows.numbers), right.decision_function(rows.numbers)
            )
            return answers if len(rows.numbers) > 1 else answers._replace(predictions=1 - answers.predictions)

    monkeypatch.setattr(compiler, "OnnxEngine", Engine)
    estimator = LogisticRegression()
    prepared = _prepared(estimator)
    compiled = compile_and_measure(estimator, prepared.signature, [prepared.sample])
    assert compiled.refused == "100.00% of its labels differ"
