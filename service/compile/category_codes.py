"""Columns as boosters want them: categories as whole numbers, in the place of what the rows hold there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from service.compile.graph import Tensor, numbers
from service.compile.lookup import look_up

Categories = Mapping[int, Sequence[Any]]


def codes_by_name(rows: Tensor, categories: Categories) -> Tensor:
    """The places of the values of some columns among each one's categories, NaN where missing or unknown."""
    names = [np.array([*values, None], object)[:-1] for values in categories.values()]
    places = [np.arange(len(values), dtype=np.float64) for values in names]
    return look_up(rows.columns(list(categories)), names, places, [np.nan] * len(names))


def codes_by_number(rows: Tensor, known: Categories) -> Tensor:
    """The numbers of some columns, less their fraction, where that is among each one's known ones, else NaN."""
    values = numbers(rows.columns(list(known)))
    graph = rows.graph
    whole = graph.where(values.greater(-1.0), graph.op("Floor", graph.op("Abs", values)), np.nan)
    codes = [np.asarray(numbers_, np.float64) for numbers_ in known.values()]
    return look_up(whole, codes, codes, [np.nan] * len(codes))


def replace_columns(rows: Tensor, width: int, others: Sequence[tuple[Sequence[int], Tensor]]) -> Tensor:
    """The rows, of that width, with other values for the columns that each pair names; the rest must be numbers.

    Raises UnsupportedError where one of the rest holds codes of strings.
    """
    if not others:
        return numbers(rows)
    taken = [column for columns, _ in others for column in columns]
    rest = sorted(set(range(width)).difference(taken))
    parts = [values for _, values in others] + ([numbers(rows.columns(rest))] if rest else [])
    return rows.graph.concat(parts).columns(np.argsort([*taken, *rest]))
