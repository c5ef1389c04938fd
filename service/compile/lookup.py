"""Looking values up in sorted tables, a column at a time: bins, categories and linear interpolation.

A search is a balanced tree of splits for each column, all in one node, so that it costs the logarithm of its table, in
float64 and with no copy of the rows for each edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile.graph import Tensor, UnsupportedError, Vocabulary
from service.compile.tree_ensemble import Floats, Tree, sum_leaves


def count_edges(rows: Tensor, edges: Sequence[Floats]) -> Tensor:
    """How many edges lie at or below each value: ``numpy.searchsorted(edges[j], column, side="right")``.

    ``edges`` has one sorted array for each column, maybe empty. int64 (n, columns); NaN counts every edge.
    """
    trees = [_counting_tree(column, values) for column, values in enumerate(edges)]
    return sum_leaves(rows, trees, len(trees), strict=True).cast(np.int64)


def take(tables: Sequence[Floats], index: Tensor) -> Tensor:
    """``tables[j][index[:, j]]`` for each column j; float64 (n, columns). ``index`` is int64, never negative."""
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])], dtype=np.int64)
    return index.graph.op("Gather", np.concatenate(tables), index + index.graph.constant(starts))


def interpolate(rows: Tensor, xs: Sequence[Floats], ys: Sequence[Floats]) -> Tensor:
    """``numpy.interp(column, xs[j], ys[j])`` for each column j, by NumPy's own formula.

    Raises UnsupportedError where a table holds values that are not finite.
    """
    if not all(np.isfinite(values).all() for values in (*xs, *ys)):
        raise UnsupportedError("an interpolation table has values that are not finite")
    index = count_edges(rows, xs)
    inside = clip(rows, np.array([x[0] for x in xs]), np.array([x[-1] for x in xs]))
    slopes = [_slopes(x, y) for x, y in zip(xs, ys, strict=True)]
    left = take([np.concatenate([x[:1], x]) for x in xs], index)
    base = take([np.concatenate([y[:1], y]) for y in ys], index)
    risen = take(slopes, index) * (inside - left) + base
    return rows.graph.where(inside.equals(left), base, risen)


def clip(value: Tensor, low: Floats | float, high: Floats | float) -> Tensor:
    """``numpy.clip``: NaN stays."""
    raised = value.graph.where(value.less(low), low, value)
    return value.graph.where(raised.greater(high), high, raised)


def look_up(
    rows: Tensor, categories: Sequence[NDArray[Any]], values: Sequence[Floats], unknown: Sequence[float]
) -> Tensor:
    """The value of each cell's category: ``values[j][i]`` where it is ``categories[j][i]``, else ``unknown[j]``.

    A column of codes is read by its vocabulary, a column of numbers by equality in float64; NaN is the category None
    or NaN where there is one. float64 (n, columns). Raises UnsupportedError where a category cannot arrive as it was
    fitted.
    """
    vocabularies = rows.vocabularies or (None,) * len(categories)
    coded = [j for j, vocabulary in enumerate(vocabularies) if vocabulary is not None]
    plain = [j for j, vocabulary in enumerate(vocabularies) if vocabulary is None]
    books = [_codebook(*entry) for entry in zip(categories, values, unknown, strict=True)]
    parts = []
    if coded:
        parts.append(_read_codes(rows.columns(coded), [_spell(books[j], vocabularies[j] or ()) for j in coded]))
    if plain:
        parts.append(_read_numbers(rows.columns(plain), [books[j] for j in plain]))
    found = rows.graph.concat(parts)
    return found if coded + plain == sorted(coded + plain) else found.columns(np.argsort(coded + plain))


def _counting_tree(column: int, edges: Floats) -> Tree:
    """A balanced tree whose leaves say how many of the edges lie at or below the value of the column."""
    split: list[float] = []
    left: list[int] = []
    right: list[int] = []
    count: list[float] = []

    def grow(low: int, high: int) -> int:
        node, middle = len(split), (low + high) // 2
        split.append(edges[middle] if low < high else 0.0)
        left.append(-1)
        right.append(-1)
        count.append(low)
        if low < high:
            left[node], right[node] = grow(low, middle), grow(middle + 1, high)
        return node

    grow(0, len(edges))
    nodes = len(split)
    return Tree(
        feature=np.full(nodes, column),
        split=np.array(split),
        left=np.array(left),
        right=np.array(right),
        missing_left=np.zeros(nodes, np.bool_),
        value=np.array(count, np.float64),
        target=np.full(nodes, column),
    )


def _slopes(x: Floats, y: Floats) -> Floats:
    """By count of edges: flat before the first and after the last. Steps of no width are never reached."""
    width = np.diff(x)
    return np.concatenate([[0.0], np.divide(np.diff(y), width, out=np.zeros_like(width), where=width > 0), [0.0]])


class _Codebook:
    """What one column's categories stand for: by value, where missing, and for anything else."""

    def __init__(self, by_value: dict[Any, float], missing: float, unknown: float) -> None:
        self.by_value = by_value
        self.missing = missing
        self.unknown = unknown


def _codebook(categories: NDArray[Any], values: Floats, unknown: float) -> _Codebook:
    by_value: dict[Any, float] = {}
    missing = []
    for category, value in zip(categories.tolist(), values, strict=True):
        if category is None or category != category:  # only NaN differs from itself
            missing.append(float(value))
        else:
            by_value[category] = float(value)
    if len(missing) > 1:
        raise UnsupportedError("None and NaN are two categories of one column")
    return _Codebook(by_value, missing[0] if missing else unknown, unknown)


def _spell(book: _Codebook, vocabulary: Vocabulary) -> Floats:
    """The values by code: any other, each of the vocabulary, missing."""
    if not set(book.by_value) <= set(vocabulary):
        raise UnsupportedError("a category is not in its column's vocabulary")
    return np.array([book.unknown, *(book.by_value.get(word, book.unknown) for word in vocabulary), book.missing])


def _read_codes(codes: Tensor, tables: Sequence[Floats]) -> Tensor:
    missing = np.array([float(len(table) - 2) for table in tables])
    return take(tables, codes.graph.where(codes.graph.isnan(codes), missing, codes).cast(np.int64) + np.array(1))


def _read_numbers(rows: Tensor, books: Sequence[_Codebook]) -> Tensor:
    known = [_sorted_numbers(book) for book in books]
    index = count_edges(rows, [numbers for numbers, _ in known])
    nearest = take([np.concatenate([[np.nan], numbers]) for numbers, _ in known], index)
    value = take([np.concatenate([[np.nan], values]) for _, values in known], index)
    missing = np.array([book.missing for book in books])
    found = rows.graph.where(nearest.equals(rows), value, np.array([book.unknown for book in books]))
    return rows.graph.where(rows.graph.isnan(rows), missing, found)


def _sorted_numbers(book: _Codebook) -> tuple[Floats, Floats]:
    if any(isinstance(category, str) for category in book.by_value):
        raise UnsupportedError("string categories of a column of numbers")
    pairs = sorted((float(category), value) for category, value in book.by_value.items())
    if any(float(category) != category for category in book.by_value):
        raise UnsupportedError("a category is an integer that float64 does not hold")
    return np.array([number for number, _ in pairs]), np.array([value for _, value in pairs])
