"""Golden rows: a few sample rows and hard rows in the form of a request, with the estimator's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import Answers, Feature, Golden, Rows, Signature
from service.compile.compiler import Measured
from service.publish.preparation import Prepared
from service.publish.reference import Reference

_ROWS_LIMIT = 24
_CELLS_LIMIT = 20_000


def choose_golden(prepared: Prepared, reference: Reference, *, with_hard_rows: bool) -> Golden:
    """Sample rows spread evenly and, if wanted, as many hard rows as half of those, all with finite answers.

    The answers are the estimator's own to just these rows, given at once: as the service will ask its engine. The same
    input gives the same choice. Hard rows lie on the very edge of a step, where an engine whose sums depend on the
    processor may answer otherwise elsewhere: not for scikit-learn's.
    """
    limit = max(2, min(_ROWS_LIMIT, _CELLS_LIMIT // len(prepared.signature.features)))
    parts = [_spread(prepared.sample, limit - limit // 3)]
    if with_hard_rows:
        parts.append(_spread(prepared.hard, limit // 3))
    rows = Rows.join(parts)
    answers = reference.answer(rows)
    return Golden(
        instances=tuple(to_instances(prepared.signature, rows)),
        predictions=tuple(_plain(answers.predictions)),
        probabilities=None if answers.probabilities is None else tuple(_by_row(answers.probabilities)),
        decision_values=None if answers.decision_values is None else tuple(_plain(answers.decision_values)),
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


def _spread(measured: Measured, count: int) -> Rows:
    usable = np.flatnonzero(_finite(measured.answers))
    chosen = usable[np.unique(np.linspace(0, len(usable) - 1, count).astype(int))] if len(usable) else usable
    return measured.rows.take(chosen)


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
