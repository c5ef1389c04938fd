"""libsvm's probabilities of several classes from those of pairs, by its own iteration."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np

from service.compile.arrays import Block
from service.compile.dummy import repeated
from service.compile.elementary import absolute, maximum, minimum, square
from service.compile.graph import Tensor
from service.compile.loops import State, repeat
from service.compile.scalar import expit, total

_CERTAIN = 1e-7  # a pair's probability is kept this far from 0 and 1
_TOLERANCE = 0.005
_ITERATIONS = 100


def couple(odds: Tensor, classes: int) -> Tensor:
    """The probabilities, (n, classes), from the log-odds against the first class of each pair, (n, pairs).

    The second method of Wu, Lin and Weng (Probability Estimates for Multi-class Classification by Pairwise Coupling,
    2004). It ends at a tolerance that shows in its answers, so each row ends at the same iteration as in libsvm.
    """
    builder = odds.graph
    first = minimum(maximum(expit(-odds), _CERTAIN), 1 - _CERTAIN)
    second = 1.0 - first
    parts = builder.concat([square(first), square(second), -(first * second)])
    quadratic = (parts @ _layout(classes)).reshape(-1, classes, classes)
    start = repeated(odds, np.full(classes, 1 / classes))
    states = [State(start, (classes,)), State(quadratic, (classes, classes))]
    going = builder.constant(np.array(True))
    return repeat("coupling", max(_ITERATIONS, classes), going, states, partial(_step, classes))[0]


def _layout(classes: int) -> Block:
    """Where each pair's squares and product stand in the quadratic form of all classes, its rows one after another."""
    pairs = list(combinations(range(classes), 2))
    layout = np.zeros((3, len(pairs), classes, classes))
    for place, (i, j) in enumerate(pairs):
        layout[0, place, j, j] = layout[1, place, i, i] = 1
        layout[2, place, i, j] = layout[2, place, j, i] = 1
    return layout.reshape(3 * len(pairs), classes**2)


def _step(classes: int, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    shares, quadratic = states
    builder = shares.graph
    slopes = total(quadratic * shares.reshape(-1, 1, classes), axis=2).reshape(-1, classes)
    value = total(shares * slopes)
    error = absolute(slopes - value).max(1, keepdims=True)
    updated = shares
    for t in range(classes):
        row = builder.op("Gather", quadratic, np.array(t, np.int64), axis=1)
        own, slope = row.columns([t]), slopes.columns([t])
        step = (value - slope) / own
        grown = step + 1.0
        value = (value + step * (step * own + slope * 2.0)) / grown / grown
        slopes = (slopes + step * row) / grown
        updated = (updated + step * np.eye(classes)[t]) / grown
    tolerance = _TOLERANCE / classes
    kept = builder.where(error.less(tolerance), shares, updated)
    going = builder.op("ReduceMax", error, keepdims=0).greater_equal(tolerance)
    return going, [kept, quadratic]
