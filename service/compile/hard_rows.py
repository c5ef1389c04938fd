"""Rows made to find out an engine that is nearly right: steps, missing values, unseen categories, large magnitudes.

Each kind was seen to expose silent faults of converters: forests on their own thresholds, missing values in forests,
categories in HistGradientBoosting, large timestamps in float32, text that is not ASCII.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import Answers, Feature, Rows, Signature

_SEED = 20_250_101
_ROWS_A_KIND = 256
_PAIRS = 128
_STEPS = 70  # halvings until two float64 values are neighbours
_STEP_SIZE = 1e-9  # a jump larger than this between neighbours is a step, not rounding

Answer = Callable[[Rows], Answers]
Block = NDArray[np.float64]

TEXTS = (
    "",
    " ",
    "Straße ÅNGSTRÖM naïve façade",
    "数据 科学 モデル 데이터",
    "e\u0301clair \u00e9clair",
    "UPPER lower MiXeD",
    "a b c d",
    "don't re-use e-mail x_y 3.14 1,000",
    "tab\tnew\nline\u00a0space\u2003wide",
    "😀 emoji 👩‍👩‍👧",
    "\u0130stanbul \u0131I \u00df \u017f",
    "word " * 200,
)
STRINGS = ("", " ", "nan", "None", "null", "Ünseen", "未知", "0", "true")


def hard_rows(
    signature: Signature, rows: Rows, answer: Answer, thresholds: dict[int, NDArray[np.float64]] | None = None
) -> Rows:
    """Rows that the signature takes, made from sample rows; the same input gives the same rows.

    ``answer`` is the estimator, asked where its numbers jump. ``thresholds`` are split points by the index of the
    feature, where they are known.
    """
    return _Maker(signature, rows, answer, thresholds or {}).make()


class _Maker:
    def __init__(
        self, signature: Signature, rows: Rows, answer: Answer, thresholds: dict[int, NDArray[np.float64]]
    ) -> None:
        self._random = np.random.default_rng(_SEED)
        self._rows = rows
        self._answer = answer
        self._numeric = [f for f in signature.features if not f.is_string]
        self._strings = [f for f in signature.features if f.is_string]
        self._texts = signature.container == "texts"
        places = {f.name: i for i, f in enumerate(self._numeric)}
        self._thresholds = {
            places[f.name]: thresholds[i]
            for i, f in enumerate(signature.features)
            if i in thresholds and f.name in places and f.dtype in ("float64", "float32")
        }

    def make(self) -> Rows:
        kinds = [self._at_thresholds(), self._at_steps(), self._missing(), self._categories(), self._magnitudes()]
        kinds.append(self._booleans())
        joined = [kind for kind in kinds if kind is not None]
        numbers = np.concatenate([kind.numbers for kind in joined]) if joined else self._rows.numbers[:0]
        strings = np.concatenate([kind.strings for kind in joined]) if joined else self._rows.strings[:0]
        return Rows(self._allowed(numbers), strings)

    def _allowed(self, numbers: Block) -> Block:
        """The values brought inside what the signature takes, feature by feature."""
        for i, feature in enumerate(self._numeric):
            column = numbers[:, i]
            if feature.closed and feature.categories:
                known = np.array(feature.categories, np.float64)
                outside = ~np.isin(column, known) & ~np.isnan(column)
                column[outside] = self._random.choice(known, int(outside.sum()))
            if feature.dtype == "float32":
                limit = float(np.finfo(np.float32).max)
                column[:] = np.clip(column, -limit, limit).astype(np.float32)
            if feature.dtype == "int64":
                column[:] = np.rint(column)
            if feature.dtype == "bool":
                column[:] = np.where(np.isnan(column), column, column > 0.5)
            column[:] = np.clip(column, feature.accepts_min, feature.accepts_max)
            if not feature.nullable and np.isnan(column).any():
                known = self._rows.numbers[:, i]
                column[np.isnan(column)] = known[~np.isnan(known)][0]
        return numbers

    def _some(self, count: int) -> Rows:
        """Sample rows drawn with repetition, copied."""
        return self._rows.take(self._random.integers(len(self._rows.numbers), size=count))

    def _at_thresholds(self) -> Rows | None:
        """Every known split point on some row, exactly and one step to either side, in float64 and in float32."""
        if not self._thresholds:
            return None
        variants = {i: self._random.permutation(_neighbours(values)) for i, values in self._thresholds.items()}
        count = min(max(map(len, variants.values())), 8 * _ROWS_A_KIND)
        rows = self._some(count)
        for i, values in variants.items():
            rows.numbers[:, i] = np.resize(values, count)
        alone = self._some(count)
        for row, i in enumerate(self._random.choice(list(variants), count)):
            alone.numbers[row, i] = self._random.choice(variants[i])
        return _join(rows, alone)

    def _at_steps(self) -> Rows | None:
        """Neighbouring float64 values between which the estimator's numbers jump, halved out along one feature."""
        places = [i for i, f in enumerate(self._numeric) if f.dtype in ("float64", "float32") and not f.closed]
        if not places or self._texts:
            return None
        left, other = self._some(_PAIRS), self._some(_PAIRS)
        column = self._random.choice(places, _PAIRS)
        index = np.arange(_PAIRS)
        low, high = left.numbers[index, column], other.numbers[index, column]
        usable = ~(np.isnan(low) | np.isnan(high))

        def at(values: Block) -> Block:
            numbers = left.numbers.copy()
            numbers[index, column] = np.where(usable, values, left.numbers[index, column])
            return _numbers(self._answer(Rows(numbers, left.strings)))

        try:
            found = _halve(at, low, high, usable)
        except Exception:  # the estimator refuses some number between two that it takes
            return None
        if found is None:
            return None
        low, high, jumps = found
        below, above = left.take(jumps), left.take(jumps)
        below.numbers[np.arange(jumps.sum()), column[jumps]] = low[jumps]
        above.numbers[np.arange(jumps.sum()), column[jumps]] = high[jumps]
        return _join(below, above)

    def _missing(self) -> Rows | None:
        """Each nullable feature missing alone, all of them at once, and a third of the cells at random."""
        numeric = [i for i, f in enumerate(self._numeric) if f.nullable]
        strings = [i for i, f in enumerate(self._strings) if f.nullable]
        width = len(numeric) + len(strings)
        if not width:
            return None
        alone = np.eye(width, dtype=bool)[: 2 * _ROWS_A_KIND]
        scattered = self._random.random((_ROWS_A_KIND, width)) < self._random.choice([0.1, 0.3, 0.7], (_ROWS_A_KIND, 1))
        mask = np.concatenate([alone, np.ones((1, width), bool), scattered])
        rows = self._some(len(mask))
        for position, i in enumerate(numeric):
            rows.numbers[mask[:, position], i] = np.nan
        for position, i in enumerate(strings):
            rows.strings[mask[:, len(numeric) + position], i] = None
        return rows

    def _categories(self) -> Rows | None:
        """Every category that the model knows, values that it does not know, and texts of many alphabets."""
        if not self._strings:
            return None
        choices: list[Sequence[str]] = []
        for feature in self._strings:
            known = [str(category) for category in feature.categories or ()]
            strange = TEXTS if self._texts else STRINGS
            choices.append(known if feature.closed else [*strange, *known[: 4 * _ROWS_A_KIND], *strange[:3]])
        count = max(map(len, choices))
        rows = self._some(max(count, _ROWS_A_KIND) if not self._texts else count)
        for i, values in enumerate(choices):
            rows.strings[:, i] = self._random.permutation(np.resize(np.array(values, object), len(rows.strings)))
        return rows

    def _magnitudes(self) -> Rows | None:
        """Zeros, tiny and huge values in one feature or in all, the edges of what was seen, halves between."""
        places = [i for i, f in enumerate(self._numeric) if f.dtype != "bool"]
        if not places:
            return None
        values = np.array([0.0, -0.0, 5e-324, 1e-30, 0.5, -1.0, 1e3, -1e3, 1e6, 1.7e9, -1.7e9, 1e12, 1e18, -1e18, 1e30])
        rows = self._some(2 * _ROWS_A_KIND)
        for row, i in enumerate(self._random.choice(places, _ROWS_A_KIND)):
            rows.numbers[row, i] = self._random.choice([*values, *_edges(self._numeric[i])])
        scale = self._random.choice([0.0, 1e-3, 10.0, 1e3, 1e6, -1.0], (_ROWS_A_KIND, 1))
        rows.numbers[_ROWS_A_KIND:, places] *= scale
        return rows

    def _booleans(self) -> Rows | None:
        """Booleans that are true and false at random, in rows that are otherwise as they were."""
        places = [i for i, f in enumerate(self._numeric) if f.dtype == "bool"]
        if not places:
            return None
        rows = self._some(_ROWS_A_KIND)
        rows.numbers[:, places] = self._random.integers(2, size=(_ROWS_A_KIND, len(places)))
        return rows


def _edges(feature: Feature) -> list[float]:
    if feature.seen_min is None or feature.seen_max is None:
        return []
    span = feature.seen_max - feature.seen_min
    low, high = feature.seen_min, feature.seen_max
    return [low, high, low - span, high + span, (low + high) / 2, np.floor(high) + 0.5]


def _neighbours(values: NDArray[np.float64]) -> NDArray[np.float64]:
    single = values.astype(np.float32)
    near = [values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf)]
    near += [part.astype(np.float64) for part in (single, np.nextafter(single, np.float32(-np.inf)))]
    near.append(np.nextafter(single, np.float32(np.inf)).astype(np.float64))
    finite = np.concatenate(near)
    return np.unique(finite[np.isfinite(finite)])


def _numbers(answers: Answers) -> Block:
    """Everything continuous in the answers, a row each; no columns where they are labels only."""
    parts: list[NDArray[Any]] = []
    if answers.predictions.dtype.kind == "f":
        parts.append(answers.predictions)
    if answers.probabilities is not None:
        parts += answers.probabilities if isinstance(answers.probabilities, tuple) else [answers.probabilities]
    if answers.decision_values is not None:
        parts.append(answers.decision_values)
    count = len(answers.predictions)
    return np.column_stack([part.reshape(count, -1) for part in parts]) if parts else np.empty((count, 0))


def _halve(
    at: Callable[[Block], Block], low: Block, high: Block, usable: NDArray[np.bool_]
) -> tuple[Block, Block, NDArray[np.bool_]] | None:
    """Brings each pair of values together around a change of the answers; None where the answers are continuous."""
    below, above = at(low), at(high)
    if not below.shape[1]:
        return None
    usable = usable & (below != above).any(axis=1)
    for step in range(_STEPS):
        middle = low + (high - low) / 2
        answers = at(middle)
        same = (answers == below).all(axis=1)
        if step == 3 and not (same | (answers == above).all(axis=1))[usable].any():
            return None  # it changes everywhere: there are no steps to find
        low, high = np.where(same, middle, low), np.where(same, high, middle)
        below = np.where(same[:, None], answers, below)
        above = np.where(same[:, None], above, answers)
    jump = np.abs(above - below) > _STEP_SIZE * np.maximum(1.0, np.abs(below))
    jumps = usable & jump.any(axis=1) & (np.nextafter(low, high) == high)
    return (low, high, jumps) if jumps.any() else None


def _join(first: Rows, second: Rows) -> Rows:
    return Rows(np.concatenate([first.numbers, second.numbers]), np.concatenate([first.strings, second.strings]))
