"""What is found out about an engine by calling it before it serves: its cost, and whether company changes an answer."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from service.batching import HANDOVER_SECONDS, Cost
from service.bundle import Answers, Outputs, Rows
from service.engines import Engine

MANY_ROWS = 1024
_MANY_SECONDS = 0.01
_CHECK_SECONDS = 2.0


def warm(engine: Engine, rows: Rows) -> Cost:
    """The cost of a call, from a single row and from as many as can be timed within milliseconds: all golden rows, then
    these again and again."""
    count = len(rows.numbers)
    first = _time(engine, rows.take(slice(1)))
    if count == 1:
        return Cost(first, first)
    cost = Cost(first, max(0.0, (_time(engine, rows) - first) / (count - 1)))
    many = min(MANY_ROWS, cost.rows_within(first + _MANY_SECONDS))
    if many <= count:
        return cost
    return Cost(first, max(0.0, (_time(engine, rows.take(np.arange(many) % count)) - first) / (many - 1)))


def is_batchable(engine: Engine, rows: Rows, outputs: Outputs, cost: Cost) -> bool:
    """Whether the engine's answers to each golden row are the same bits alone and among others, up to as many as a
    batch may hold.

    A matrix product, for one, may be summed in another order when it has another shape. A model for which it would
    take long to find out is taken for one that is not.
    """

    def answer(indices: NDArray[np.intp]) -> list[str]:
        answers = engine.predict(
            rows.take(indices), probabilities=outputs.probabilities, decision_values=outputs.decision_width is not None
        )
        return [exactly(answers.take(slice(i, i + 1))) for i in range(len(indices))]

    count = len(rows.numbers)
    sizes = sorted({2, count, 3 * count + 1, cost.batch_rows(HANDOVER_SECONDS)})
    if count * cost.first + sum(map(cost.of, sizes)) > _CHECK_SECONDS:
        return False
    alone = [answer(np.array([i]))[0] for i in range(count)]
    return all(
        answer(indices) == [alone[i] for i in indices] for indices in (np.arange(size) % count for size in sizes)
    )


def exactly(answers: Answers) -> str:
    """The answers in words that are equal only for equal bits."""
    parts = answers.probabilities if isinstance(answers.probabilities, tuple) else (answers.probabilities,)
    arrays = (answers.predictions, *parts, answers.decision_values)
    return repr([None if array is None else array.tolist() for array in arrays])


def _time(engine: Engine, rows: Rows) -> float:
    """Seconds a call takes: the shortest of three, since others may be using the processor, too."""
    engine.predict(rows)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        engine.predict(rows)
        seconds.append(time.perf_counter() - start)
    return min(seconds)
