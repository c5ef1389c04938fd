"""Estimator to graph, and the measure of an engine against the estimator's own answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from service.agreement import Agreement, compare
from service.bundle import Answers, Rows, Signature
from service.compile import converters  # noqa: F401 - importing it registers every converter
from service.compile.graph import Graph, Prediction, UnsupportedError, predict
from service.engines import Engine
from service.engines.onnx import OnnxEngine
from service.errors import AlphardError, CompileError

ALONE = 16  # rows that are also answered one at a time: kernels differ by the shape of the batch


class Measured(NamedTuple):
    """Rows with the estimator's own answers to them, all at once, and to the first ``ALONE`` of them one at a time.

    ``scale`` gives the typical magnitude of each answer.
    """

    rows: Rows
    answers: Answers
    alone: Answers
    scale: Answers


class Compiled(NamedTuple):
    """A graph and what was measured of it; ``refused`` says why it may not be used, None if it may."""

    model: bytes
    agreement: Agreement | None
    refused: str | None


def compile_graph(estimator: Any, signature: Signature) -> bytes:
    """The estimator as a serialized ONNX graph. Raises CompileError if there is no exact one."""
    graph = Graph([f.categories or () if f.is_string else None for f in signature.features])
    try:
        outputs = _outputs(predict(estimator, graph.rows), signature)
    except UnsupportedError as error:
        raise CompileError(str(error)) from error
    return graph.build(outputs, features=len(signature.features))


def _outputs(prediction: Prediction, signature: Signature) -> dict[str, Any]:
    outputs = {"predictions": prediction.predictions}
    if signature.outputs.probabilities:
        if prediction.probabilities is None:
            raise UnsupportedError("no exact graph for its probabilities")
        if isinstance(prediction.probabilities, tuple):
            outputs.update({f"probabilities_{i}": part for i, part in enumerate(prediction.probabilities)})
        else:
            outputs["probabilities"] = prediction.probabilities
    if signature.outputs.decision_width is not None:
        if prediction.decision_values is None:
            raise UnsupportedError("no exact graph for its decision function")
        outputs["decision_values"] = prediction.decision_values
    return outputs


def compile_and_measure(estimator: Any, signature: Signature, measured: list[Measured]) -> Compiled:
    """Compiles, loads the graph as the service would, and holds its answers against the estimator's."""
    try:
        model = compile_graph(estimator, signature)
        agreement = measure(OnnxEngine(model, signature), signature, measured)
    except AlphardError as error:
        return Compiled(b"", None, str(error))
    except Exception as error:  # a converter met what it was not written for: another engine serves this estimator
        return Compiled(b"", None, f"its graph could not be made: {type(error).__name__}: {str(error)[:200]}")
    return Compiled(model, agreement, None if agreement.holds else describe(agreement))


def describe(agreement: Agreement) -> str:
    """Why an engine with such an agreement is refused, in a line."""
    if agreement.label_agreement < 1:
        return f"{1 - agreement.label_agreement:.2%} of its labels differ"
    return f"numbers differ by up to {agreement.max_scaled_diff:.2g} of their scale"


def measure(engine: Engine, signature: Signature, measured: list[Measured]) -> Agreement:
    """The engine's largest difference over all rows, in batches and, for the first rows, one at a time."""
    found = []
    for rows, answers, alone, scale in measured:
        if not len(rows.numbers):
            continue
        found.append(compare(answers, _answer(engine, signature, rows), scale=scale))
        one_by_one = [_answer(engine, signature, rows.take([i])) for i in range(len(alone.predictions))]
        found.append(compare(alone, join_answers(one_by_one), scale=scale))
    return Agreement(
        max(part.max_abs_diff for part in found),
        max(part.max_scaled_diff for part in found),
        min(part.label_agreement for part in found),
    )


def _answer(engine: Engine, signature: Signature, rows: Rows) -> Answers:
    outputs = signature.outputs
    return engine.predict(rows, probabilities=outputs.probabilities, decision_values=outputs.decision_width is not None)


def join_answers(parts: list[Answers]) -> Answers:
    """The answers of several calls, one after another; of none, no predictions."""
    if not parts:
        return Answers(np.empty(0))
    first = parts[0]
    probabilities: Any = None
    if isinstance(first.probabilities, tuple):
        by_output = zip(*(part.probabilities or () for part in parts), strict=True)
        probabilities = tuple(np.concatenate(output) for output in by_output)
    elif first.probabilities is not None:
        probabilities = np.concatenate([part.probabilities for part in parts])
    decision_values = [part.decision_values for part in parts if part.decision_values is not None]
    return Answers(
        np.concatenate([part.predictions for part in parts]),
        probabilities,
        np.concatenate(decision_values) if decision_values else None,
    )
