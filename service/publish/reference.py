"""The estimator itself as the measure of every engine: its answers, and which rows it takes at all."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import Answers, Outputs, Rows, Signature
from service.compile.compiler import ALONE, join_answers
from service.engines.frames import assemble
from service.engines.sklearn import answer


class Reference:
    """Answers of the estimator to decoded rows, given to it in its own form."""

    def __init__(self, estimator: Any, signature: Signature) -> None:
        self.estimator = estimator
        self.signature = signature

    def answer(self, rows: Rows) -> Answers:
        """Predictions, and probabilities and decision values where the estimator has them."""
        return answer_all(self.estimator, assemble(self.signature, rows), self.signature.outputs)

    def answer_alone(self, rows: Rows) -> Answers:
        """Answers to the first rows, each given on its own: an estimator's last bits may depend on the batch."""
        count = min(ALONE, len(rows.numbers))
        return join_answers([self.answer(rows.take([i])) for i in range(count)])

    def accepts(self, rows: Rows) -> bool:
        """Whether the estimator answers at all; it may raise anything for values that it does not take."""
        try:
            self.answer(rows)
        except Exception:
            return False
        return True

    def accepted(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of the rows the estimator takes, found by halves where some are refused."""
        count = len(rows.numbers)
        if count == 0 or self.accepts(rows):
            return np.ones(count, bool)
        if count == 1:
            return np.zeros(1, bool)
        half = count // 2
        return np.concatenate([self.accepted(rows.take(slice(half))), self.accepted(rows.take(slice(half, None)))])


def answer_all(estimator: Any, given: Any, outputs: Outputs) -> Answers:
    """The estimator's answers to rows in its own form, quietly: its warnings concern whoever trained it."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return answer(
            estimator,
            given,
            probabilities=outputs.probabilities,
            decision_values=outputs.decision_width is not None,
        )
