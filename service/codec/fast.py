"""Rows decoded all at once: no work a cell but what NumPy and C do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import Rows
from service.codec.columns import Column, NumberColumn, StringColumn
from service.codec.numbers import NumberRules

Cells = Sequence[Sequence[Any]]
Pick = Callable[[Any], Sequence[Any]]

_NUMBERS = {int, float}
_STRINGS = {str, NoneType}


class FastDecoder:
    """Decodes rows that are all arrays, all objects or all texts, without a fault; anything else it leaves alone.

    NumPy itself would take a boolean or a numeric string for a number, so the types of all cells are looked at first.
    """

    def __init__(self, columns: Sequence[Column], *, texts: bool) -> None:
        self._texts = texts
        self._width = len(columns)
        self._numbers = _Numbers([column for column in columns if isinstance(column, NumberColumn)])
        self._strings = [column for column in columns if isinstance(column, StringColumn)]
        self._by_position = _Picks(columns, range(self._width))
        self._by_name = _Picks(columns, [column.name for column in columns])

    def decode(self, instances: Sequence[Any]) -> Rows | None:
        """The rows, or None if any of them is out of the ordinary, be it wrong or not."""
        kinds = set(map(type, instances))
        if kinds == {list}:
            picks = self._by_position
        elif kinds == {dict}:
            picks = self._by_name
        elif kinds == {str} and self._texts:
            return self._decode([(text,) for text in instances], self._by_position)
        else:
            return None
        if set(map(len, instances)) != {self._width}:
            return None
        return self._decode(instances, picks)

    def _decode(self, rows: Cells, picks: _Picks) -> Rows | None:
        try:
            numbers = self._numbers.decode(rows, picks)
        except (KeyError, OverflowError):  # a key that is no feature; an int beyond float64
            return None
        strings = self._decode_strings(rows, picks)
        return None if numbers is None or strings is None else Rows(numbers, strings)

    def _decode_strings(self, rows: Cells, picks: _Picks) -> NDArray[np.object_] | None:
        if not self._strings:
            return np.empty((len(rows), 0), object)
        try:
            cells = list(map(picks.strings, rows))
        except KeyError:
            return None
        if not set(map(type, chain.from_iterable(cells))) <= _STRINGS:
            return None
        strings = np.array(cells, object)
        for column, values in zip(self._strings, strings.T, strict=True):
            distinct = set(values)
            if column.nullable:
                distinct.discard(None)
            if None in distinct or (column.allowed is not None and not distinct <= column.allowed):
                return None
        return strings


class _Picks:
    """How to take from a row its cells of one kind, by position or by name."""

    def __init__(self, columns: Sequence[Column], keys: Sequence[Any]) -> None:
        pairs = list(zip(columns, keys, strict=True))
        numeric = [key for column, key in pairs if isinstance(column, NumberColumn)]
        self.whole_row = len(numeric) == len(keys) and isinstance(keys, range)
        self.numbers = _pick(numeric)
        self.not_boolean = _pick([k for c, k in pairs if isinstance(c, NumberColumn) and not c.boolean])
        self.strings = _pick([key for column, key in pairs if isinstance(column, StringColumn)])


class _Numbers:
    """All columns of numbers at once."""

    def __init__(self, columns: Sequence[NumberColumn]) -> None:
        self._count = len(columns)
        self._some_boolean = any(column.boolean for column in columns)
        self._required = np.array([not column.nullable for column in columns], bool)
        self._rules = NumberRules(columns)

    def decode(self, rows: Cells, picks: _Picks) -> NDArray[np.float64] | None:
        """Raises KeyError and OverflowError where the rows give rise to them."""
        if not self._count:
            return np.empty((len(rows), 0))
        cells = rows if picks.whole_row else list(map(picks.numbers, rows))
        types = set(map(type, chain.from_iterable(cells))) - _NUMBERS
        if bool in types:
            if not self._some_boolean or bool in set(map(type, chain.from_iterable(map(picks.not_boolean, rows)))):
                return None
            types.remove(bool)
        if not types:
            numbers = np.array(cells, np.float64)
            return numbers if self._rules.hold(numbers) else None
        if types != {NoneType}:
            return None
        return self._decode_nullable(cells)

    def _decode_nullable(self, cells: Cells) -> NDArray[np.float64] | None:
        numbers = np.array(cells, np.float64)  # None becomes NaN
        missing = np.isnan(numbers)
        if missing[:, self._required].any() or missing.sum() != sum(row.count(None) for row in cells):
            return None
        return numbers if self._rules.hold(numbers, missing) else None


def _pick(keys: Sequence[Any]) -> Pick:
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda row: [row[key] for key in keys]
