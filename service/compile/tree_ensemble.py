"""Trees of any library as one ``ai.onnx.ml`` ``TreeEnsemble`` node, which adds its trees up one after the other.

ONNX Runtime, on one thread, starts every target at 0 and adds the leaves in the order of the trees, in the type of the
weights (``tree_ensemble_common.h`` and ``tree_ensemble_aggregator.h``). A library that adds tree after tree is
therefore met to the last bit, whatever batch a row is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from service.compile.graph import Tensor

BRANCH_LEQ, BRANCH_LT, BRANCH_MEMBER = 0, 1, 6

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Tree(NamedTuple):
    """A binary tree as arrays with one entry for each node; node 0 is the root.

    A row goes left where its value of ``feature`` is at most ``split`` (in a strict ensemble: below it), or is NaN and
    ``missing_left`` says so. A node in ``members`` instead sends those codes left: whole numbers from 0, in a column
    that holds nothing else but NaN. A leaf has -1 as ``left``, and adds its ``value`` to the sum of its ``target``.
    """

    feature: Ints
    split: Floats
    left: Ints
    right: Ints
    missing_left: Bools
    value: Floats
    target: Ints
    members: Mapping[int, Floats] = {}

    @property
    def is_leaf(self) -> Bools:
        return self.left < 0


def constant(value: float, target: int = 0) -> Tree:
    """A tree of one leaf. Put first, it is what the sum of its target starts from."""
    return Tree(
        feature=np.zeros(1, np.int64),
        split=np.zeros(1),
        left=np.full(1, -1),
        right=np.full(1, -1),
        missing_left=np.zeros(1, np.bool_),
        value=np.array([value], np.float64),
        target=np.array([target], np.int64),
    )


def sum_leaves(
    rows: Tensor, trees: Sequence[Tree], targets: int, *, strict: bool = False, dtype: Any = np.float64
) -> Tensor:
    """The sums of the leaves that each row reaches, (n, targets). ``dtype`` is that of the rows and of the sums."""
    parts: list[_Part] = []
    roots, leaves = [0], 0
    for tree in trees:
        parts.append(_part(tree, roots[-1], leaves, BRANCH_LT if strict else BRANCH_LEQ))
        roots.append(roots[-1] + len(parts[-1].feature))
        leaves += len(parts[-1].value)
    whole = _Part(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    optional: dict[str, Any] = {}
    if whole.missing_left.any():  # without them ONNX Runtime takes a faster path
        optional["nodes_missing_value_tracks_true"] = _ints(whole.missing_left)
    if len(whole.members):
        optional["membership_values"] = numpy_helper.from_array(whole.members.astype(dtype))
    return rows.graph.op(
        "TreeEnsemble",
        rows,
        domain="ai.onnx.ml",
        n_targets=targets,
        tree_roots=roots[:-1],
        nodes_featureids=_ints(whole.feature),
        nodes_splits=numpy_helper.from_array(whole.split.astype(dtype)),
        nodes_modes=numpy_helper.from_array(whole.mode),
        nodes_truenodeids=_ints(whole.left),
        nodes_trueleafs=_ints(whole.left_is_leaf),
        nodes_falsenodeids=_ints(whole.right),
        nodes_falseleafs=_ints(whole.right_is_leaf),
        leaf_targetids=_ints(whole.target),
        leaf_weights=numpy_helper.from_array(whole.value.astype(dtype)),
        **optional,
    )


def sum_leaf_vectors(rows: Tensor, trees: Sequence[Tree], vectors: Sequence[Floats]) -> Tensor:
    """The sums, tree after tree, of the vectors that stand at the leaves; (n, k) for vectors of shape (nodes, k).

    Where no leaf has more than one number that is not 0 (pure leaves) those are added up directly. Else the trees
    answer with the places of their leaves in a table, whose rows are added up: ONNX Runtime reduces the first axis row
    after row, while a copy of each tree for each class would cost as many walks.
    """
    if all(np.count_nonzero(vector[tree.is_leaf], axis=1).max() <= 1 for tree, vector in _pairs(trees, vectors)):
        pure = [_with_leaves(tree, *_only_number(vector)) for tree, vector in _pairs(trees, vectors)]
        return sum_leaves(rows, pure, vectors[0].shape[1])
    table = np.concatenate([vector[tree.is_leaf] for tree, vector in _pairs(trees, vectors)])
    first = np.cumsum([0, *(int(tree.is_leaf.sum()) for tree in trees)])
    placed = [
        _with_leaves(tree, first[i] + np.cumsum(tree.is_leaf) - 1, np.full(len(tree.left), i))
        for i, tree in enumerate(trees)
    ]
    places = sum_leaves(rows, placed, len(placed)).cast(np.int64)
    return rows.graph.op("Gather", table, rows.graph.op("Transpose", places, perm=[1, 0])).sum(0)


class _Part(NamedTuple):
    """A tree as the attributes of the node want it: inner nodes and leaves apart, numbered from where it begins."""

    feature: Ints
    split: Floats
    mode: NDArray[np.uint8]
    missing_left: Bools
    left: Ints
    left_is_leaf: Bools
    right: Ints
    right_is_leaf: Bools
    value: Floats
    target: Ints
    members: Floats


def _part(tree: Tree, first_node: int, first_leaf: int, mode: int) -> _Part:
    leaf = tree.is_leaf
    place = np.where(leaf, first_leaf + np.cumsum(leaf), first_node + np.cumsum(~leaf)) - 1
    inner = np.flatnonzero(~leaf)
    left, right = tree.left[inner], tree.right[inner]
    if not len(inner):  # a tree must have a split, though both its sides are the one leaf
        inner = left = right = np.zeros(1, np.int64)
    modes = np.full(len(leaf), mode, np.uint8)
    splits = tree.split.copy()
    members = []
    for node in sorted(tree.members):
        if len(tree.members[node]):
            modes[node] = BRANCH_MEMBER
            members.append(np.append(tree.members[node], np.nan))
        else:  # ONNX Runtime cannot take an empty set
            splits[node] = -np.inf
    return _Part(
        feature=tree.feature[inner],
        split=splits[inner],
        mode=modes[inner],
        missing_left=tree.missing_left[inner],
        left=place[left],
        left_is_leaf=leaf[left],
        right=place[right],
        right_is_leaf=leaf[right],
        value=tree.value[leaf],
        target=tree.target[leaf],
        members=np.concatenate([np.empty(0), *members]),
    )


def _pairs(trees: Sequence[Tree], vectors: Sequence[Floats]) -> list[tuple[Tree, Floats]]:
    return list(zip(trees, vectors, strict=True))


def _only_number(vector: Floats) -> tuple[Floats, Ints]:
    """The number that is not 0 in each line, and its column."""
    column = np.argmax(vector != 0, axis=1)
    return np.take_along_axis(vector, column[:, None], axis=1)[:, 0], column


def _with_leaves(tree: Tree, value: NDArray[Any], target: Ints) -> Tree:
    return tree._replace(value=value.astype(np.float64), target=target)


def _ints(values: NDArray[Any]) -> list[int]:
    result: list[int] = values.astype(np.int64).tolist()
    return result
