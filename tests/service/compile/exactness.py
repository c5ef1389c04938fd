"""Builds an estimator's graph and holds its answers against the estimator's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from service.compile import graph
from service.compile.graph import Vocabulary

SCALED_TOLERANCE = 1e-9


def run_graph(
    estimator: Any, codes: NDArray[np.float64], vocabularies: Sequence[Vocabulary | None] | None = None
) -> dict[str, Any]:
    """What the estimator's graph answers to rows of numbers (and codes, where a column has a vocabulary)."""
    builder = graph.Graph(vocabularies or [None] * codes.shape[1])
    prediction = graph.predict(estimator, builder.rows)
    outputs = {"predictions": prediction.predictions}
    probabilities = prediction.probabilities
    if isinstance(probabilities, tuple):
        outputs.update({f"probabilities_{i}": part for i, part in enumerate(probabilities)})
    elif probabilities is not None:
        outputs["probabilities"] = probabilities
    if prediction.decision_values is not None:
        outputs["decision_values"] = prediction.decision_values
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    data = builder.build(outputs, features=codes.shape[1])
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = list(outputs)
    return dict(zip(names, session.run(names, {graph.INPUT: codes}), strict=True))


def assert_exact(
    estimator: Any,
    codes: NDArray[np.float64],
    *,
    rows: Any = None,
    vocabularies: Sequence[Vocabulary | None] | None = None,
    tolerance: float = SCALED_TOLERANCE,
) -> None:
    """Labels equal on every row, numbers within ``tolerance`` of their scale, and nothing the estimator has left out.

    ``rows`` is what the estimator itself is given, where that is not the matrix of codes.
    """
    given = codes if rows is None else rows
    answers = run_graph(estimator, codes, vocabularies)
    expected = np.asarray(estimator.predict(given))
    got = answers["predictions"]
    assert got.shape == expected.shape
    if hasattr(estimator, "classes_") and expected.ndim == 1:
        np.testing.assert_array_equal(np.asarray(estimator.classes_)[got], expected)
    elif np.issubdtype(expected.dtype, np.floating) and not hasattr(estimator, "classes_"):
        assert_close(got, expected, tolerance)
    elif not hasattr(estimator, "classes_"):
        np.testing.assert_array_equal(got, expected)
    if hasattr(estimator, "predict_proba"):
        theirs = estimator.predict_proba(given)
        if isinstance(theirs, list):
            for index, part in enumerate(theirs):
                assert_close(answers[f"probabilities_{index}"], part, tolerance)
        else:
            assert_close(answers["probabilities"], theirs, tolerance)
    if hasattr(estimator, "decision_function"):
        assert_close(answers["decision_values"], estimator.decision_function(given), tolerance)


def assert_close(got: NDArray[Any], expected: NDArray[Any], tolerance: float) -> None:
    """Within ``tolerance`` of the scale: of each value, or of the largest value of its column where that is larger."""
    assert got.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    scale = np.maximum(np.abs(expected), np.nanmax(np.abs(expected), axis=0, initial=0.0))
    difference = np.abs(got - expected) / np.maximum(scale, 1e-300)
    assert np.nanmax(difference, initial=0.0) <= tolerance, f"largest scaled difference {np.nanmax(difference):.3g}"
