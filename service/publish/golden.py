"""Golden rows: a few sample rows and hard rows in the form of a request, with the estimator's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import Answers, Feature, Golden, Rows, Signature

_ROWS_LIMIT = 24
_CELLS_LIMIT = 20_000


def choose_golden(signature: Signature, sample: tuple[Rows, Answers], hard: tuple[Rows, Answers]) -> Golden:
    """Sample rows spread evenly, then hard rows whose answers are finite; the same input gives the same choice."""
    limit = max(2, min(_ROWS_LIMIT, _CELLS_LIMIT // len(signature.features)))
    chosen = [_spread(*sample, limit - limit // 3), _spread(*hard, limit // 3)]
    instances: list[Any] = []
    predictions: list[Any] = []
    probabilities: list[Any] | None = [] if sample[1].probabilities is not None else None
    decision_values: list[Any] | None = [] if sample[1].decision_values is not None else None
    for rows, answers in chosen:
        instances += to_instances(signature, rows)
        predictions += _plain(answers.predictions)
        if probabilities is not None and answers.probabilities is not None:
            probabilities += _by_row(answers.probabilities)
        if decision_values is not None and answers.decision_values is not None:
            decision_values += _plain(answers.decision_values)
    return Golden(
        instances=tuple(instances),
        predictions=tuple(predictions),
        probabilities=None if probabilities is None else tuple(probabilities),
        decision_values=None if decision_values is None else tuple(decision_values),
    )


def to_instances(signature: Signature, rows: Rows) -> list[Any]:
    """Rows as a client writes them: texts, objects for a frame, else arrays; null where missing."""
    if signature.container == "texts":
        return list(rows.strings[:, 0])
    numbers, strings = iter(rows.numbers.T), iter(rows.strings.T)
    columns = [
        next(strings).tolist() if feature.is_string else _cells(feature, next(numbers))
        for feature in signature.features
    ]
    if signature.container == "array":
        return [list(cells) for cells in zip(*columns, strict=True)]
    names = [feature.name for feature in signature.features]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _cells(feature: Feature, values: NDArray[np.float64]) -> list[Any]:
    kind = {"bool": bool, "int64": int}.get(feature.dtype, float)
    return [None if np.isnan(value) else kind(value) for value in values.tolist()]


def _spread(rows: Rows, answers: Answers, count: int) -> tuple[Rows, Answers]:
    usable = np.flatnonzero(_finite(answers))
    index = usable[np.unique(np.linspace(0, len(usable) - 1, count).astype(int))] if len(usable) else usable
    return rows.take(index), answers.take(index)


def _finite(answers: Answers) -> NDArray[np.bool_]:
    count = len(answers.predictions)
    finite = np.ones(count, bool)
    parts = answers.probabilities if isinstance(answers.probabilities, tuple) else (answers.probabilities,)
    for values in (answers.predictions, answers.decision_values, *parts):
        if values is not None and values.dtype.kind == "f":
            finite &= np.isfinite(values.reshape(count, -1)).all(axis=1)
    return finite


def _plain(values: NDArray[Any]) -> list[Any]:
    plain: list[Any] = values.tolist()
    return plain


def _by_row(probabilities: NDArray[Any] | tuple[NDArray[Any], ...]) -> list[Any]:
    if isinstance(probabilities, tuple):
        return [list(row) for row in zip(*(part.tolist() for part in probabilities), strict=True)]
    return _plain(probabilities)
