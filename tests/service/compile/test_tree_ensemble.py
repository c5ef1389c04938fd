from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from service.compile.graph import Graph, Tensor
from service.compile.tree_ensemble import Tree, constant, sum_leaf_vectors, sum_leaves

Block = NDArray[np.float64]

RANDOM = np.random.default_rng(3)


def tree(depth: int, width: int, **changes: Any) -> Tree:
    """A full tree of random splits; node i has the children 2 i + 1 and 2 i + 2."""
    inner, nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    place = np.arange(nodes)
    grown = Tree(
        feature=np.where(place < inner, RANDOM.integers(0, width, nodes), 0),
        split=RANDOM.integers(-4, 5, nodes) / 4,
        left=np.where(place < inner, 2 * place + 1, -1),
        right=np.where(place < inner, 2 * place + 2, -1),
        missing_left=RANDOM.random(nodes) < 0.5,
        value=RANDOM.normal(size=nodes) * 10.0 ** RANDOM.integers(-6, 6, nodes),
        target=RANDOM.integers(0, 3, nodes),
    )
    return grown._replace(**changes)


def load(build: Callable[[Tensor], Tensor], width: int) -> Callable[[Block], NDArray[Any]]:
    graph = Graph([None] * width)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.build({"sums": build(graph.rows)}, features=width), options)

    def answer(rows: Block) -> NDArray[Any]:
        sums: NDArray[Any] = session.run(None, {"rows": rows})[0]
        return sums

    return answer


def leaf(tree: Tree, row: NDArray[Any], *, strict: bool = False) -> int:
    node = 0
    while tree.left[node] >= 0:
        value = row[tree.feature[node]]
        if np.isnan(value):
            goes_left = bool(tree.missing_left[node])
        elif node in tree.members:
            goes_left = bool(value in tree.members[node])
        else:
            goes_left = bool(value < tree.split[node] if strict else value <= tree.split[node])
        node = int(tree.left[node] if goes_left else tree.right[node])
    return node


def added_one_by_one(trees: Sequence[Tree], rows: NDArray[Any], targets: int, *, strict: bool = False) -> NDArray[Any]:
    sums = np.zeros((len(rows), targets), rows.dtype)
    for sums_of_row, row in zip(sums, rows, strict=True):
        for tree in trees:
            node = leaf(tree, row, strict=strict)
            sums_of_row[tree.target[node]] += rows.dtype.type(tree.value[node])
    return sums


def rows_on_quarters(count: int, width: int) -> Block:
    """Rows that often lie on a split, some next to one, some missing."""
    rows = RANDOM.integers(-6, 7, (count, width)) / 4
    rows = np.where(RANDOM.random(rows.shape) < 0.3, np.nextafter(rows, RANDOM.choice([-9.0, 9.0], rows.shape)), rows)
    rows[RANDOM.random(rows.shape) < 0.1] = np.nan
    rows[0] = [1e30] * width
    return rows


@pytest.mark.parametrize("strict", [False, True])
def test_leaves_are_added_in_the_order_of_the_trees_to_the_last_bit(strict: bool) -> None:
    trees = [constant(0.1, 1), *(tree(depth, 4) for depth in (1, 3, 0, 6) for _ in range(15)), constant(-1e3)]
    rows = rows_on_quarters(300, 4)
    answer = load(lambda rows: sum_leaves(rows, trees, 3, strict=strict), 4)
    np.testing.assert_array_equal(answer(rows), added_one_by_one(trees, rows, 3, strict=strict))


def test_a_single_target_in_float32_is_added_in_float32() -> None:
    trees = [constant(0.1), *(tree(4, 4, target=np.zeros(31, np.int64)) for _ in range(40))]
    rows = rows_on_quarters(300, 4).astype(np.float32)
    answer = load(lambda rows: sum_leaves(rows.cast(np.float32), trees, 1, strict=True, dtype=np.float32), 4)
    found = answer(rows.astype(np.float64))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, added_one_by_one(trees, rows, 1, strict=True))


def test_a_row_is_answered_the_same_in_every_batch() -> None:
    trees = [tree(5, 4) for _ in range(120)]
    vectors = [RANDOM.random((63, 3)) for _ in trees]
    rows = rows_on_quarters(1024, 4)
    for build in (lambda rows: sum_leaves(rows, trees, 3), lambda rows: sum_leaf_vectors(rows, trees, vectors)):
        answer = load(build, 4)
        together = answer(rows)
        for size in (1, 7, 64):
            parts = [answer(rows[start : start + size]) for start in range(0, len(rows), size)]
            np.testing.assert_array_equal(np.concatenate(parts), together)


def test_codes_in_a_set_go_left_whatever_the_size_of_the_set() -> None:
    sets = [[0.0], [3.0, 5.0], [30.0], [31.0], [0.0, 254.0], [*range(0, 300, 3)], [], [7.0]]
    codes = np.append(np.arange(320.0), np.nan)[:, None]
    for missing_left in (False, True):
        trees = [
            tree(
                1,
                1,
                feature=np.zeros(3, np.int64),
                members={0: np.array(members, np.float64)},
                missing_left=np.full(3, missing_left),
                value=np.array([0.0, 1.0, 2.0]),
                target=np.full(3, i),
            )
            for i, members in enumerate(sets)
        ]
        answer = load(lambda rows: sum_leaves(rows, trees, len(sets)), 1)  # noqa: B023  # used within its round
        np.testing.assert_array_equal(answer(codes), added_one_by_one(trees, codes, len(sets)))


def test_sets_and_splits_mix_in_one_tree() -> None:
    members = {1: np.array([0.0, 2.0]), 4: np.arange(40.0), 5: np.empty(0)}
    trees = [tree(3, 2)._replace(feature=np.array([1, 0, 1, 1, 0, 0, 1] + [0] * 8), members=members)] * 2
    rows = np.column_stack([RANDOM.integers(-1, 45, 400), RANDOM.integers(-6, 7, 400) / 4]).astype(np.float64)
    rows[::9, 0] = np.nan
    rows[rows[:, 0] < 0, 0] = np.nan
    answer = load(lambda rows: sum_leaves(rows, trees, 3), 2)
    np.testing.assert_array_equal(answer(rows), added_one_by_one(trees, rows, 3))


@pytest.mark.parametrize("pure", [True, False])
def test_vectors_at_the_leaves_are_added_in_the_order_of_the_trees_to_the_last_bit(pure: bool) -> None:
    trees = [tree(depth, 4) for depth in (0, 1, 4, 5) for _ in range(12)]
    vectors = [RANDOM.random((len(grown.left), 3)) for grown in trees]
    if pure:
        vectors = [vector * np.eye(3)[RANDOM.integers(0, 3, len(vector))] for vector in vectors]
    rows = rows_on_quarters(200, 4)
    expected = np.zeros((200, 3))
    for grown, vector in zip(trees, vectors, strict=True):
        expected += vector[[leaf(grown, row) for row in rows]]
    np.testing.assert_array_equal(load(lambda rows: sum_leaf_vectors(rows, trees, vectors), 4)(rows), expected)


def test_one_leaf_one_column_and_no_rows_are_answered() -> None:
    answer = load(lambda rows: sum_leaves(rows, [constant(2.5, 1)], 2), 1)
    np.testing.assert_array_equal(answer(np.array([[np.nan], [3.0]])), [[0.0, 2.5], [0.0, 2.5]])
    assert answer(np.empty((0, 1))).shape == (0, 2)
    vectors = load(lambda rows: sum_leaf_vectors(rows, [constant(0.0)], [np.array([[0.25, 0.75]])]), 1)
    np.testing.assert_array_equal(vectors(np.array([[1.0]])), [[0.25, 0.75]])
    assert vectors(np.empty((0, 1))).shape == (0, 2)
