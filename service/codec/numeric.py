"""Rows of numbers from bytes to a matrix in one pass, without an object for a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import simdjson
from numpy.typing import NDArray

from service.codec.columns import NumberColumn
from service.codec.numbers import NumberRules

_KEPT_BYTES = 256 * 1024
"""A parser that has seen a larger body is given up, for it keeps several times the largest one's size."""

_MANY_BYTES = 8 * 1024
"""From here on NumPy counts faster than Python does."""

_OPENING = ord("[")
_OPTIONS = {"probabilities", "decision_values"}


class NumericRequest(NamedTuple):
    """Rows (n, features) float64, and the options that were given."""

    numbers: NDArray[np.float64]
    options: dict[str, bool]


class NumericDecoder:
    """Decodes ``{"instances": [[...], ...]}`` where every cell is a number that its column takes.

    Anything else, be it wrong or only out of the ordinary (null, true, rows by name, a repeated key), it leaves alone.
    """

    def __init__(self, columns: Sequence[NumberColumn]) -> None:
        self._parser = MatrixParser(len(columns))
        self._rules = NumberRules(columns)

    def decode(self, body: bytes, *, max_rows: int) -> NumericRequest | None:
        """The request, or None if it is to be decoded otherwise. May be called from several threads."""
        found = self._parser.parse(body, max_rows=max_rows)
        return found if found is not None and self._rules.hold(found.numbers) else None


class MatrixParser:
    """Parses ``{"instances": [[...], ...]}`` of numbers in rows of one width.

    simdjson reads numbers to the nearest float64, as Python does, and refuses what is no number or out of range.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._parsers: list[simdjson.Parser] = []

    def parse(self, body: bytes, *, max_rows: int) -> NumericRequest | None:
        """The request, or None if it is another. May be called from several threads."""
        if not body.startswith(b"{"):  # which also keeps out a byte order mark
            return None
        try:
            parser = self._parsers.pop()
        except IndexError:
            parser = simdjson.Parser()
        try:
            found = self._parse(parser, body, max_rows)
        except Exception:  # it raises half a dozen types; the parser is given up, for the error may hold on to parts
            return None
        if len(body) <= _KEPT_BYTES:
            self._parsers.append(parser)
        return found

    def _parse(self, parser: simdjson.Parser, body: bytes, max_rows: int) -> NumericRequest | None:
        document: Any = parser.parse(body)
        options: dict[str, Any] = {}
        if len(document) > 1:
            options = {key: document[key] for key in document if key != "instances"}
            if len(options) + 1 != len(document) or not _are_options(options):
                return None
        instances = document["instances"]
        rows = len(instances)
        numbers = np.frombuffer(instances.as_buffer(of_type="d"))
        if rows > max_rows or not self._is_matrix(body, instances, rows, len(numbers)):
            return None
        # The buffer is the parser's own, which the next body would overwrite.
        return NumericRequest(numbers.reshape(rows, self._width).copy(), options)

    def _is_matrix(self, body: bytes, instances: Any, rows: int, cells: int) -> bool:
        """Whether the flat numbers came from ``rows`` arrays of the right length with no array inside them.

        A row within a row opens a bracket more; so may a string, and then the careful way is only taken in vain.
        """
        if not rows or cells != rows * self._width:
            return False
        return _openings(body) == rows + 1 and (rows == 1 or set(map(len, instances)) == {self._width})


def _openings(body: bytes) -> int:
    if len(body) < _MANY_BYTES:
        return body.count(b"[")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == _OPENING))


def _are_options(options: dict[str, Any]) -> bool:
    return options.keys() <= _OPTIONS and all(isinstance(value, bool) for value in options.values())
