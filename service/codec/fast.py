"""Rows of parsed values decoded column by column: no work a cell but what C does."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from operator import itemgetter
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import UNSEEN, Rows
from service.codec.columns import Column, NumberColumn, StringColumn
from service.codec.numbers import NumberRules

_NAN = float("nan")


class FastDecoder:
    """Decodes rows that are all arrays, all objects or all texts, without a fault; anything else it leaves alone."""

    def __init__(self, columns: Sequence[Column], *, texts: bool) -> None:
        self._texts = texts
        self._width = len(columns)
        self._by_name = _pick([column.name for column in columns])
        self._numeric = [i for i, column in enumerate(columns) if isinstance(column, NumberColumn)]
        self._numbers = _Numbers([column for column in columns if isinstance(column, NumberColumn)])
        self._strings = [(i, _Strings(column)) for i, column in enumerate(columns) if isinstance(column, StringColumn)]

    def decode(self, instances: Sequence[Any], *, booleans: bool = True) -> Rows | None:
        """The rows, or None if any of them is out of the ordinary, be it wrong or not.

        ``booleans`` is whether any cell may be one: looking for them takes a fifth of the time.
        """
        kinds = set(map(type, instances))
        if kinds == {str} and self._texts:
            return self._decode([tuple(instances)], booleans=False)
        if kinds not in ({list}, {dict}) or set(map(len, instances)) != {self._width}:
            return None
        try:
            rows = instances if kinds == {list} else map(self._by_name, instances)
            return self._decode(list(zip(*rows, strict=True)), booleans=booleans)
        except KeyError:  # a feature is missing, so one of the keys is no feature
            return None

    def _decode(self, columns: list[tuple[Any, ...]], *, booleans: bool) -> Rows | None:
        numbers = self._numbers.decode([columns[i] for i in self._numeric], booleans=booleans)
        if numbers is None:
            return None
        if not self._strings:
            return Rows(numbers, np.empty((len(numbers), 0), object))
        cells = [columns[i] for i, _ in self._strings]
        codes = []
        for (_, column), values in zip(self._strings, cells, strict=True):
            found = column.decode(values)
            if found is None:
                return None
            codes.append(found)
        strings = np.array(cells, object).T
        numbers = numbers if self._numeric else np.empty((len(strings), 0))
        return Rows(numbers, strings, _matrix(list(chain.from_iterable(codes)), len(codes)))


class _Numbers:
    """All columns of numbers at once."""

    def __init__(self, columns: Sequence[NumberColumn]) -> None:
        self._width = len(columns)
        self._not_boolean = [i for i, column in enumerate(columns) if not column.boolean]
        self._required = np.array([not column.nullable for column in columns], bool)
        self._rules = NumberRules(columns)

    def decode(self, columns: Sequence[tuple[Any, ...]], *, booleans: bool) -> NDArray[np.float64] | None:
        """The columns as a matrix (rows, columns); None where one of the cells is no number that its column takes."""
        if not columns:
            return np.empty((0, 0))
        if booleans and any(bool in map(type, columns[i]) for i in self._not_boolean):
            return None
        cells = list(chain.from_iterable(columns))
        try:
            return self._decode_present(cells)
        except struct.error:
            return self._decode_nullable(cells) if None in cells else None

    def _decode_present(self, cells: list[Any]) -> NDArray[np.float64] | None:
        numbers = _matrix(cells, self._width)
        return numbers if self._rules.hold(numbers) else None

    def _decode_nullable(self, cells: list[Any]) -> NDArray[np.float64] | None:
        try:
            numbers = _matrix([_NAN if cell is None else cell for cell in cells], self._width)
        except struct.error:
            return None
        missing = np.isnan(numbers)
        if missing[:, self._required].any() or np.count_nonzero(missing) != cells.count(None):
            return None
        return numbers if self._rules.hold(numbers, missing) else None


class _Strings:
    """One column of strings."""

    def __init__(self, column: StringColumn) -> None:
        self._codes = column.codes
        self._open = column.allowed is None
        self._kinds = {str, NoneType} if column.nullable else {str}

    def decode(self, values: tuple[Any, ...]) -> list[float] | None:
        """Their codes; None where one of them is no string that the column takes."""
        try:
            return [*map(self._codes.__getitem__, values)]
        except KeyError:
            if self._open and set(map(type, values)) <= self._kinds:
                return [*map(self._codes.get, values, repeat(UNSEEN))]
        except TypeError:  # an array or an object
            pass
        return None


def _matrix(cells: list[Any], width: int) -> NDArray[np.float64]:
    """Cells, column by column, as a matrix (rows, columns), row by row in memory: sums may depend on that.

    Raises struct.error for anything but a boolean or a number within float64; NumPy would also take a numeric string.
    """
    numbers = np.empty(len(cells))
    struct.pack_into(f"{len(cells)}d", numbers.data, 0, *cells)
    return np.ascontiguousarray(numbers.reshape(width, -1).T)


def _pick(keys: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda row: [row[key] for key in keys]
