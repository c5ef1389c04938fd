"""Builds an estimator's graph and holds its answers against the estimator's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from service.compile import converters, graph  # noqa: F401 - importing converters registers every one
from service.compile.graph import Vocabulary

SCALED_TOLERANCE = 1e-9


def load_graph(
    estimator: Any, features: int, vocabularies: Sequence[Vocabulary | None] | None = None
) -> Callable[[NDArray[np.float64]], dict[str, Any]]:
    """The estimator's graph, ready to answer to rows of numbers (and codes, where a column has a vocabulary)."""
    builder = graph.Graph(vocabularies or [None] * features)
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
    data = builder.build(outputs, features=features)
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = list(outputs)
    return lambda codes: dict(zip(names, session.run(names, {graph.INPUT: codes}), strict=True))


def run_graph(
    estimator: Any, codes: NDArray[np.float64], vocabularies: Sequence[Vocabulary | None] | None = None
) -> dict[str, Any]:
    """What the estimator's graph answers to rows of numbers (and codes, where a column has a vocabulary)."""
    return load_graph(estimator, codes.shape[1], vocabularies)(codes)


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
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list):
        labels = [of_output[got[:, i]] for i, of_output in enumerate(classes)]
        np.testing.assert_array_equal(np.stack(labels, axis=1), expected)
    elif classes is not None and expected.ndim == 1:
        np.testing.assert_array_equal(np.asarray(classes)[got], expected)
    elif np.issubdtype(expected.dtype, np.floating):
        assert_close(got, expected, tolerance)
    else:
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


def assert_exact_at_every_scale(
    estimator: Any, rows: NDArray[np.float64], *, tolerance: float = SCALED_TOLERANCE
) -> None:
    """Exact on the rows, on one alone, far outside of them, and on rows of 1e30; the same bits in every batch."""
    largest = np.full((1, rows.shape[1]), 1e30)
    spread = np.where(np.arange(rows.shape[1]) % 2 == 0, 1e30, 0.0)[None, :]
    with np.errstate(all="ignore"):
        for scaled in (rows, rows[:1], rows * 1e6, rows * 1e-30, largest, spread):
            assert_exact(estimator, scaled, tolerance=tolerance)
    assert_independent(estimator, rows)


def assert_independent(estimator: Any, rows: NDArray[np.float64]) -> None:
    """A row's answers are the same bit for bit alone, among seven and among all."""
    answer = load_graph(estimator, rows.shape[1])
    together = answer(rows)
    for size in (1, 7):
        parts = [answer(rows[start : start + size]) for start in range(0, len(rows), size)]
        for name, expected in together.items():
            np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), expected)


def assert_close(got: NDArray[Any], expected: NDArray[Any], tolerance: float) -> None:
    """Within ``tolerance`` of the scale: of each value, or of the largest value of its column where that is larger."""
    assert got.shape == expected.shape
    expected = expected.astype(np.float64)  # whose smallest numbers float32 does not hold
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.where(finite, 0.0, got), np.where(finite, 0.0, expected))
    magnitude = np.where(finite, np.abs(expected), 0.0)
    scale = np.maximum(magnitude, magnitude.max(axis=0, initial=0.0))
    difference = np.abs(np.where(finite, got, 0.0) - np.where(finite, expected, 0.0)) / np.maximum(scale, 1e-300)
    assert difference.max(initial=0.0) <= tolerance, f"largest scaled difference {difference.max():.3g}"
