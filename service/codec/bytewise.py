"""Rows of numbers and known strings from bytes to arrays, without an object for a cell.

A parser of numbers in bulk is given a copy of the body in which strings and nulls have made way for numbers, and the
names of features for blanks. Which string it was, its bytes tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.bundle import Rows
from service.codec.columns import Column, NumberColumn, StringColumn
from service.codec.masking import NULL_VALUE, STRING_VALUE, MaskedBody
from service.codec.named import NamedRows, Strings
from service.codec.numbers import NumberRules
from service.codec.numeric import MatrixParser
from service.codec.vocabulary import LONGEST_BYTES, WORD_BYTES, Places, Text, Vocabulary

_QUOTE, _COLON = b'":'


class BytewiseRequest(NamedTuple):
    """Rows, and the options that were given."""

    rows: Rows
    options: dict[str, bool]


class _Cells(NamedTuple):
    """Cells by row and by place in a row, and which of them are only stand-ins for strings or nulls."""

    values: NDArray[np.float64]
    strings: NDArray[np.bool_]
    nulls: NDArray[np.bool_] | None


class BytewiseDecoder:
    """Decodes ``{"instances": [...]}`` of rows that are all arrays, or all objects with their keys in the same order.

    Anything else, be it wrong or only out of the ordinary (an escape, a string that is not known, a repeated key), it
    leaves alone.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        """Raises ValueError where cells may be booleans, or strings are not to be found so: see ``Vocabulary``."""
        self._columns = columns
        self._numbers = _Numbers(columns)
        self._strings = _Strings(columns) if any(isinstance(column, StringColumn) for column in columns) else None
        self._names = NamedRows([column.name for column in columns])
        self._parser = MatrixParser(len(columns))

    def decode(self, body: bytes, *, max_rows: int) -> BytewiseRequest | None:
        """The request, or None if it is to be decoded otherwise. May be called from several threads."""
        first, last = body.find(b"["), body.rfind(b"]")
        # Without an escape every second quote ends a string, and the first bracket is none of a string.
        if first < 0 or b"\\" in body or body.count(b'"', 0, first) % 2:
            return None
        text: Text = np.frombuffer(body + bytes(LONGEST_BYTES + WORD_BYTES), np.uint8)
        are_quotes = text[first:last] == _QUOTE
        count = np.count_nonzero(are_quotes)
        if count % 2 or count > 4 * len(self._columns) * max_rows:  # a key and a string for each cell
            return None
        quotes = np.flatnonzero(are_quotes) + first
        strings = Strings(quotes[::2], quotes[1::2] + 1)
        if (strings.ends - strings.starts).max(initial=0) > LONGEST_BYTES:
            return None
        return self._decode(body, text, strings, first, last, max_rows)

    def _decode(
        self, body: bytes, text: Text, strings: Strings, first: int, last: int, max_rows: int
    ) -> BytewiseRequest | None:
        masked = MaskedBody(text, first, last)
        order = np.arange(len(self._columns))
        if body.startswith(b"{", first + 1):
            is_key = text[strings.ends] == _COLON
            keys, strings = strings.take(is_key), strings.take(~is_key)
            named = self._names.order(text, keys, first + 1)
            if named is None or not masked.mask_names(keys):
                return None
            order = named
        if not masked.mask_strings(strings):
            return None
        nulls = masked.mask_nulls()
        if nulls is None:
            return None
        found = self._parser.parse(masked.to_bytes(len(body)), max_rows=max_rows)
        cells = None if found is None else _cells(found.numbers, len(strings.starts), nulls)
        rows = None if cells is None else self._rows(cells, order, text, strings)
        return None if found is None or rows is None else BytewiseRequest(rows, found.options)

    def _rows(self, cells: _Cells, order: Places, text: Text, strings: Strings) -> Rows | None:
        numbers = self._numbers.decode(cells, order)
        if numbers is None:
            return None
        if self._strings is None:
            return Rows(numbers, np.empty((len(numbers), 0), object))
        return self._strings.decode(cells, order, text, strings, numbers)


def _cells(values: NDArray[np.float64], strings: int, nulls: int) -> _Cells | None:
    """None if there are more stand-ins than strings or nulls, for then the client sent the like."""
    are_strings = values == STRING_VALUE
    are_nulls = values == NULL_VALUE if nulls else None
    if np.count_nonzero(are_strings) != strings or (are_nulls is not None and np.count_nonzero(are_nulls) != nulls):
        return None
    return _Cells(values, are_strings, are_nulls)


class _Numbers:
    """All columns of numbers at once."""

    def __init__(self, columns: Sequence[Column]) -> None:
        numeric = [column for column in columns if isinstance(column, NumberColumn)]
        if any(column.boolean for column in numeric):
            raise ValueError("cells may be booleans")
        self._features = np.array([i for i, each in enumerate(columns) if isinstance(each, NumberColumn)], np.intp)
        self._required = np.array([not column.nullable for column in numeric], bool)
        self._rules = NumberRules(numeric)

    def decode(self, cells: _Cells, order: Places) -> NDArray[np.float64] | None:
        """The columns as a matrix (rows, columns); None where one of the cells is no number that its column takes."""
        places = order[self._features]
        numbers = cells.values.take(places, axis=1)
        if cells.strings[:, places].any():
            return None
        if cells.nulls is None:
            return numbers if self._rules.hold(numbers) else None
        missing = cells.nulls.take(places, axis=1)
        if missing[:, self._required].any():
            return None
        numbers[missing] = np.nan
        return numbers if self._rules.hold(numbers, missing) else None


class _Strings:
    """All columns of strings at once."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Raises ValueError."""
        strings = [column for column in columns if isinstance(column, StringColumn)]
        self._vocabulary = Vocabulary(strings)
        self._features = np.array([i for i, each in enumerate(columns) if isinstance(each, StringColumn)], np.intp)
        self._required = np.array([not column.nullable for column in strings], bool)

    def decode(
        self, cells: _Cells, order: Places, text: Text, strings: Strings, numbers: NDArray[np.float64]
    ) -> Rows | None:
        """The rows of these numbers and the strings; None where one of the cells is no string that its column takes."""
        places = order[self._features]
        known = cells.strings[:, places]
        starts, sizes = strings.starts + 1, strings.ends - strings.starts - 1
        if known.all():
            rank = np.argsort(np.argsort(places))
            starts, sizes = starts.reshape(known.shape)[:, rank], sizes.reshape(known.shape)[:, rank]
        elif self._are_nulls(known, cells, places):
            every = np.zeros((2, *cells.values.shape), np.intp)
            every[0, cells.strings], every[1, cells.strings] = starts, sizes
            starts, sizes = every[:, :, places]
        else:
            return None
        entries = self._vocabulary.find(text, starts, sizes)
        if entries is None:
            return None
        return Rows(numbers, self._vocabulary.strings[entries], self._vocabulary.codes[entries])

    def _are_nulls(self, known: NDArray[np.bool_], cells: _Cells, places: Places) -> bool:
        """Whether all that are not known are nulls where these are taken."""
        if cells.nulls is None:
            return False
        missing = cells.nulls[:, places]
        return bool((known | missing).all() and not missing[:, self._required].any())
