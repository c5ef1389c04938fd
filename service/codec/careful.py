"""Rows decoded cell by cell: the rules in full, and every problem named by row and feature."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from service.bundle import Rows
from service.codec.columns import Column, StringColumn, describe, quote
from service.errors import Problem, RowsError

PROBLEMS_LIMIT = 16
_HINTED_FEATURES = 256  # finding the nearest among more names takes longer than a hint is worth


class Problems:
    """What is wrong with a request, up to a bound."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.more = False

    def add(self, location: str, detail: str) -> None:
        if len(self.found) < PROBLEMS_LIMIT:
            self.found.append(Problem(location, detail))
        else:
            self.more = True

    def settle(self, rows: Rows | None) -> Rows:
        """The rows if nothing is wrong; else raises RowsError."""
        if rows is None or self.found:
            raise RowsError(self.found, more=self.more)
        return rows


class CarefulDecoder:
    """Decodes rows of any allowed form, mixed as they may be."""

    def __init__(self, columns: Sequence[Column], *, texts: bool) -> None:
        self._columns = columns
        self._names = {column.name: column for column in columns}
        self._texts = texts

    def decode(self, instances: Sequence[Any], locate: Callable[[int], str], problems: Problems) -> Rows | None:
        """The rows, or None after adding to ``problems``. ``locate`` gives the location of a row by its index."""
        decoded = []
        for index, row in enumerate(instances):
            decoded.append([*self._row(row, locate(index), problems)])
            if problems.more:
                break
        if problems.found:
            return None
        return self._rows(decoded)

    def _rows(self, decoded: list[list[Any]]) -> Rows:
        strings = [isinstance(column, StringColumn) for column in self._columns]
        cells = np.array(decoded, dtype=object).reshape(len(decoded), len(self._columns))
        return Rows(cells[:, ~np.array(strings)].astype(np.float64, order="C"), cells[:, strings])

    def _row(self, row: Any, where: str, problems: Problems) -> Iterator[float | str | None]:
        for column, value in self._cells(row, where, problems):
            location = where if value is row else f"{where}.{column.name}"
            try:
                yield column.decode(value)
            except ValueError as error:
                problems.add(location, str(error))

    def _cells(self, row: Any, where: str, problems: Problems) -> Iterator[tuple[Column, Any]]:
        match row:
            case str() if self._texts:
                yield self._columns[0], row
            case list() | tuple() if len(row) == len(self._columns):
                yield from zip(self._columns, row, strict=True)
            case list() | tuple():
                problems.add(where, f"expected {_counted(len(self._columns))}, got {len(row)}")
            case dict():
                self._check_names(row, where, problems)
                yield from ((column, row[name]) for name, column in self._names.items() if name in row)
            case _:
                problems.add(where, f"expected {self._form()}, got {describe(row)}")

    def _check_names(self, row: dict[str, Any], where: str, problems: Problems) -> None:
        for key in row:
            if problems.more:
                return
            if key not in self._names:
                problems.add(f"{where}.{quote(key)[1:-1]}", f"no such feature{self._hint(key)}")
        for name, column in self._names.items():
            if problems.more:
                return
            if name not in row:
                problems.add(f"{where}.{name}", f"missing{': send null if unknown' if column.nullable else ''}")

    def _hint(self, key: str) -> str:
        if len(self._names) > _HINTED_FEATURES:
            return ""
        near = get_close_matches(key[:128], self._names, n=1)
        return f"; did you mean {quote(near[0])}?" if near else ""

    def _form(self) -> str:
        if self._texts:
            return "a string"
        return f"an array of {_counted(len(self._columns))} or an object keyed by feature"


def _counted(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"
