"""The nearest of a k-d tree's points, by scikit-learn's own choice among points that are equally far.

Where the k-th nearest point and the next one are equally far, scikit-learn keeps those that its search met first and
that its heap did not happen to push out. Data on a grid (counts, tenths of a centimetre) tie all the time. So where
some row of a batch ties, the search is made again: the points in the order of the leaves' visits, through such a heap.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np

from service.compile.arrays import Block, float64
from service.compile.distances import differences
from service.compile.dummy import repeated
from service.compile.elementary import absolute, maximum, sqrt, square
from service.compile.graph import Tensor, UnsupportedError
from service.compile.loops import State, repeat

_WINDOW = 256  # points that a step looks through
_POINTS_LIMIT = 4096  # a row of a batch holds its distance to each of them


class Neighbours(NamedTuple):
    """The nearest points of each row, nearest first: which they are, int64, and how far, (n, k) each."""

    points: Tensor
    distances: Tensor


class Metric(NamedTuple):
    """A metric of k-d trees and its reduced distance, which keeps the order and spares a root."""

    name: str
    p: float

    @classmethod
    def of(cls, estimator: Any) -> Metric:
        name = str(estimator.effective_metric_)
        return cls(name, float(estimator.effective_metric_params_.get("p", 2)))

    def reduced(self, rows: Tensor, points: Block) -> Tensor:
        """Between rows and points, (n, points)."""
        return self._combine([absolute(part) for part in differences(rows, points)], len(points))

    def reduced_to_boxes(self, rows: Tensor, low: Block, high: Block) -> Tensor:
        """Between rows and the nearest corner, side or inside of boxes, (n, boxes)."""
        below, above = differences(rows, high), differences(-rows, -low)
        gaps = [maximum(b, 0.0) + maximum(a, 0.0) for b, a in zip(below, above, strict=True)]
        return self._combine(gaps, len(low))

    def _combine(self, parts: list[Tensor], width: int) -> Tensor:
        """From what a row lies apart in each feature, feature after feature as scikit-learn's loops."""
        if self.name == "chebyshev":
            return reduce(maximum, parts)
        if self.name == "euclidean":
            parts = [square(part) for part in parts]
        if self.name == "minkowski":  # by a row of exponents: of a single 3 ONNX Runtime makes two products
            parts = [part.graph.op("Pow", part, np.full((1, width), self.p)) for part in parts]
        return reduce(Tensor.__add__, parts)

    def distance(self, reduced: Tensor) -> Tensor:
        if self.name == "euclidean":
            return sqrt(reduced)
        return reduced.graph.op("Pow", reduced, 1 / self.p) if self.name == "minkowski" else reduced

    def reduce_number(self, distance: float) -> float:
        if self.name == "euclidean":
            return distance * distance
        return distance**self.p if self.name == "minkowski" else distance


def points_of(estimator: Any) -> Block:
    """The points of an estimator that searches a k-d tree. Raises UnsupportedError for any other."""
    if estimator._fit_method != "kd_tree":
        raise UnsupportedError(f"neighbours found by {estimator._fit_method} rest on its rounding")
    if estimator.n_samples_fit_ > _POINTS_LIMIT:
        raise UnsupportedError(f"more than {_POINTS_LIMIT} points to compare each row with")
    return float64(estimator._fit_X)


def nearest_points(estimator: Any, rows: Tensor, k: int) -> Neighbours:
    """As ``estimator.kneighbors(rows, k)``. Raises UnsupportedError where the search is not a k-d tree's."""
    points, metric, builder = points_of(estimator), Metric.of(estimator), rows.graph
    reduced = metric.reduced(rows, points)
    enough = builder.constant(np.array([min(k + 1, len(points))], np.int64))
    ranked, index = builder.op_many("TopK", reduced, enough, outputs=2, axis=1, largest=0, sorted=1)
    if k < len(points):
        index = index.columns(range(k))
        tied = ranked.columns([k - 1]).equals(ranked.columns([k]))
        tied = tied.cast(np.float64)
        states = [State(rows, (points.shape[1],)), State(reduced, (len(points),)), State(tied, (1,))]
        states.append(State(index, (k,), integer=True))
        any_tied = builder.op("ReduceMax", tied, keepdims=0).greater(0.0)
        *_, index = repeat("search", 1, any_tied, states, partial(_search, _Tree.of(estimator._tree), metric, k))
    return Neighbours(index, metric.distance(_take(reduced, index)))


class _Tree(NamedTuple):
    """The boxes of the nodes, and how the place of a point in a search follows from which children are nearer.

    ``first`` and ``second`` are the children of each inner node; ``places`` (points,) are those of a search that visits
    first children first, ``turns`` (inner nodes, points) what a point's place gains where a node's second is nearer.
    """

    low: Block
    high: Block
    first: list[int]
    second: list[int]
    places: Block
    turns: Block

    @classmethod
    def of(cls, tree: Any) -> _Tree:
        _, order, nodes, (low, high) = tree.get_arrays()
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        turns = np.zeros((len(inner), len(order)))
        for turn, node in zip(turns, inner, strict=True):
            first, second = (order[nodes[child]["idx_start"] : nodes[child]["idx_end"]] for child in _children(node))
            turn[first], turn[second] = len(second), -len(first)
        children = [_children(node) for node in inner]
        firsts, seconds = [first for first, _ in children], [second for _, second in children]
        return cls(float64(low), float64(high), firsts, seconds, float64(np.argsort(order)), turns)

    def visits(self, rows: Tensor, metric: Metric) -> Tensor:
        """The place of each point in the search for each row, int64 (n, points)."""
        if not self.first:
            return repeated(rows, self.places).cast(np.int64)
        apart = metric.reduced_to_boxes(rows, self.low, self.high)
        turned = apart.columns(self.first).greater(apart.columns(self.second)).cast(np.float64)
        return (turned @ self.turns + self.places).cast(np.int64)


def _children(node: Any) -> tuple[int, int]:
    return 2 * int(node) + 1, 2 * int(node) + 2


def _search(tree: _Tree, metric: Metric, k: int, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The one step of a loop that is made where some row ties: the k nearest of such rows by the tree's own search."""
    rows, reduced, tied, index = states
    builder, size = rows.graph, len(tree.places)
    which = builder.op("NonZero", tied.reshape(-1).cast(np.bool_)).reshape(-1)
    distances = builder.op("Gather", reduced, which)
    places = tree.visits(builder.op("Gather", rows, which), metric)
    points = repeated(distances, np.arange(size))
    found = _heaped(_put(distances, places, distances), _put(points, places, points), size, k)
    index = builder.op("ScatterND", index, which.reshape(-1, 1), found)
    return builder.constant(np.array(False)), [rows, reduced, tied, index]


def _heaped(distances: Tensor, points: Tensor, size: int, k: int) -> Tensor:
    """The points left in a heap of the k smallest distances after all were offered in their order; nearest first.

    Each step of the loop looks for the next point that is nearer than the heap's farthest: offering the others changes
    nothing. A margin of minus infinity gives every place of the heap two children, one of infinity ends the points.
    """
    width, margin, builder = 2 * k + 1, min(size, _WINDOW), distances.graph
    offered = builder.concat([distances, repeated(distances, np.full(margin, np.inf))])
    points = builder.concat([points, repeated(distances, np.zeros(margin, np.int64))])
    heap = repeated(distances, np.array([np.inf] * k + [-np.inf] * (width - k)))
    held, start = repeated(distances, np.zeros(width, np.int64)), repeated(distances, np.zeros(1, np.int64))
    states = [State(offered, (size + margin,)), State(points, (size + margin,), integer=True)]
    states += [State(start, (1,), integer=True), State(heap, (width,)), State(held, (width,), integer=True)]
    going = builder.constant(np.array(True))
    *_, heap, held = repeat("push", 2 * size, going, states, partial(_push, size, k))
    count = builder.constant(np.array([k], np.int64))
    _, nearest_first = builder.op_many("TopK", heap.columns(range(k)), count, outputs=2, axis=1, largest=0, sorted=1)
    return _take(held, nearest_first)


def _push(size: int, k: int, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Pushes into each row's heap, as ``sklearn.utils._heap.heap_push``, the next point in a window that enters it."""
    offered, points, start, heap, held = states
    builder, window = offered.graph, np.arange(min(size, _WINDOW))
    entering = _take(offered, start + window).less(heap.columns([0])).cast(np.float64)
    found = entering.max(1, keepdims=True).greater(0.0)
    place = start + builder.where(found, entering.argmax().reshape(-1, 1), np.array(0, np.int64))
    distance = _take(offered, place)
    one, hole, sinking = np.array(1, np.int64), start - start, found
    for _ in range(k.bit_length() - 1):
        left = hole + hole + one
        right = left + one
        child = builder.where(_take(heap, left).greater_equal(_take(heap, right)), left, right)
        sinking = builder.op("And", sinking, distance.less(_take(heap, child)))
        source = builder.where(sinking, child, hole)
        heap, held = _put(heap, hole, _take(heap, source)), _put(held, hole, _take(held, source))
        hole = source
    heap = _put(heap, hole, builder.where(found, distance, _take(heap, hole)))
    held = _put(held, hole, builder.where(found, _take(points, place), _take(held, hole)))
    start = builder.op("Min", builder.where(found, place + one, start + np.array(len(window))), np.array(size))
    going = builder.op("ReduceMin", start, keepdims=0).less(np.array(size))
    return going, [offered, points, start, heap, held]


def _take(values: Tensor, index: Tensor) -> Tensor:
    """Of each row the values in the columns that ``index`` gives for it."""
    return values.graph.op("GatherElements", values, index, axis=1)


def _put(values: Tensor, index: Tensor, new: Tensor) -> Tensor:
    return values.graph.op("ScatterElements", values, index, new, axis=1)
