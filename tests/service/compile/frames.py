"""Data frames as the codes that a graph takes, and transformers held against their graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray

from service.compile import converters, graph  # noqa: F401 - importing the converters registers them
from service.compile.graph import Vocabulary
from tests.service.compile.exactness import assert_close

Vocabularies = Sequence[Vocabulary | None]


def vocabularies_of(frame: pd.DataFrame) -> list[Vocabulary | None]:
    """The strings of each string column, sorted; None for a column of numbers or booleans."""
    return [_strings(frame[name]) if _holds_strings(frame[name]) else None for name in frame]


def encode(frame: pd.DataFrame, vocabularies: Vocabularies) -> NDArray[np.float64]:
    """The matrix of codes: the place in the vocabulary, -1 for any other string, NaN where missing."""
    return np.column_stack(
        [
            np.empty((len(frame), 0)),
            *(
                frame[name].astype(np.float64) if words is None else _codes(frame[name], words)
                for name, words in zip(frame, vocabularies, strict=True)
            ),
        ]
    )


def run_transform(
    estimator: Any, codes: NDArray[np.float64], vocabularies: Vocabularies | None = None
) -> tuple[NDArray[np.float64], tuple[Vocabulary | None, ...]]:
    """What the transformer's graph makes of the codes, and what the columns of its answer stand for."""
    builder = graph.Graph(vocabularies or [None] * codes.shape[1])
    answer = graph.transform(estimator, builder.rows)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    data = builder.build({"answer": answer}, features=codes.shape[1])
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(["answer"], {graph.INPUT: codes})[0], answer.vocabularies or ()


def assert_transforms(estimator: Any, rows: NDArray[np.float64], *, tolerance: float = 0.0) -> None:
    """The graph answers as the fitted transformer does to an array of numbers; bitwise unless told otherwise."""
    assert_same_numbers(run_transform(estimator, rows)[0], estimator.transform(rows), tolerance)


def assert_transforms_frame(estimator: Any, fitted: pd.DataFrame, asked: pd.DataFrame) -> None:
    """The graph answers bitwise as the transformer does to a frame, its strings known by the frame it was fitted on."""
    vocabularies = vocabularies_of(fitted)
    answer, columns = run_transform(estimator, encode(asked, vocabularies), vocabularies)
    expected = estimator.transform(asked)
    expected = pd.DataFrame(expected.toarray() if hasattr(expected, "toarray") else expected)
    words: Vocabularies = columns or [None] * expected.shape[1]
    assert_same_numbers(answer, encode(expected, words), 0.0)


def assert_same_numbers(got: NDArray[np.float64], expected: Any, tolerance: float) -> None:
    dense = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected, np.float64)
    if tolerance:
        assert_close(got, dense, tolerance)
    else:
        np.testing.assert_array_equal(got, dense)


def _holds_strings(column: pd.Series[Any]) -> bool:
    return any(isinstance(value, str) for value in column)


def _strings(column: pd.Series[Any]) -> Vocabulary:
    return tuple(sorted({value for value in column if isinstance(value, str)}))


def _codes(column: pd.Series[Any], words: Vocabulary) -> list[float]:
    places = {word: float(place) for place, word in enumerate(words)}
    return [np.nan if pd.isna(value) else places.get(value, -1.0) for value in column]
