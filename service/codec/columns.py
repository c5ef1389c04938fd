"""What one feature takes, cell by cell, and the words that say so to whoever sent something else."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.bundle import Feature, Signature

_LISTED = 5
_QUOTED = 40
FLOAT64_MAX = float(np.finfo(np.float64).max)
# The least float64 that rounds to infinity as a float32 is its maximum and half of the last step more.
_FLOAT32_MAX = float(np.nextafter(2.0**128 - 2.0**103, 0))
_INT64_MIN, _INT64_MAX = -(2.0**63), float(np.nextafter(2.0**63, 0))
_RANGES = {
    "float64": (-FLOAT64_MAX, FLOAT64_MAX),
    "float32": (-_FLOAT32_MAX, _FLOAT32_MAX),
    "int64": (_INT64_MIN, _INT64_MAX),
    "bool": (0.0, 1.0),
}
_EXPECTED = {"float64": "a number", "float32": "a number", "int64": "a whole number", "bool": "true or false"}


class NumberColumn:
    """A feature of numbers or booleans: a cell becomes a float64, NaN where it is null.

    A cell must lie within ``low`` and ``high`` (inclusive), be whole where ``whole``, and be among ``allowed`` unless
    that is None. An int64 beyond 2**53 is rounded to the nearest float64, the type that engines compute in.
    """

    def __init__(self, feature: Feature) -> None:
        self.name = feature.name
        self.nullable = feature.nullable
        self.boolean = feature.dtype == "bool"
        self.whole = feature.dtype in ("int64", "bool")
        self.holds = _RANGES[feature.dtype]
        self.low = _within(feature.accepts_min, self.holds[0], max)
        self.high = _within(feature.accepts_max, self.holds[1], min)
        self.allowed = frozenset(map(float, feature.categories or ())) if feature.closed else None
        self._dtype = feature.dtype

    def decode(self, value: Any) -> float:
        """Raises ValueError, saying what was expected and what came."""
        if value is None and self.nullable:
            return float("nan")
        if not isinstance(value, int | float) or (isinstance(value, bool) and not self.boolean):
            raise ValueError(f"expected {_EXPECTED[self._dtype]}, got {describe(value)}")
        number = _float(value)
        if fault := self._fault(number):
            raise ValueError(f"{fault}, got {describe(value)}")
        return number

    def _fault(self, number: float) -> str | None:
        if (self.whole and number % 1 != 0) or (self.boolean and number not in (0, 1)):
            return f"expected {_EXPECTED[self._dtype]}"
        if not self.holds[0] <= number <= self.holds[1]:
            return f"expected {_EXPECTED[self._dtype]} that {self._dtype} can hold"
        if self.allowed is not None and number not in self.allowed:
            return f"expected one of {_listed([_number(value) for value in sorted(self.allowed)])}"
        if number < self.low:
            return f"expected at least {_number(self.low)}"
        if number > self.high:
            return f"expected at most {_number(self.high)}"
        return None


class StringColumn:
    """A feature of strings: a cell stays a ``str``, None where it is null; one of ``allowed`` unless that is None.

    ``codes`` are those of the strings that are known, and of null where that is taken: see ``Feature.codes``.
    """

    def __init__(self, feature: Feature) -> None:
        self.name = feature.name
        self.nullable = feature.nullable
        self._categories = [value for value in feature.categories or () if isinstance(value, str)]
        self.allowed = frozenset(self._categories) if feature.closed else None
        self.codes = {value: code for value, code in feature.codes().items() if value is not None or self.nullable}

    def decode(self, value: Any) -> str | None:
        """Raises ValueError, saying what was expected and what came."""
        if value is None and self.nullable:
            return None
        if not isinstance(value, str):
            raise ValueError(f"expected a string, got {describe(value)}")
        if self.allowed is not None and value not in self.allowed:
            raise ValueError(f"expected one of {_listed(list(map(quote, self._categories)))}, got {quote(value)}")
        return value


Column = NumberColumn | StringColumn


def columns_of(signature: Signature) -> tuple[Column, ...]:
    """One column for each feature, in order."""
    return tuple(
        StringColumn(feature) if feature.is_string else NumberColumn(feature) for feature in signature.features
    )


def describe(value: Any) -> str:
    """A JSON value in a few words, shortened."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if value.bit_length() < 128 else f"a whole number of {value.bit_length()} bits"
        case float():
            return _number(value)
        case str():
            return f"the string {quote(value)}"
        case dict():
            return "an object"
        case _:
            return "an array"


def quote(text: str) -> str:
    """A client's or a model's string between quotes, on one line, cut to about 40 characters."""
    quoted = repr(text[:_QUOTED])
    if len(text) <= _QUOTED and len(quoted) <= _QUOTED + 2:
        return quoted
    return f"{quoted[:_QUOTED]}…{quoted[0]}"


def _listed(values: list[str]) -> str:
    rest = len(values) - _LISTED
    return ", ".join(values[:_LISTED]) + (f" or {rest} more" if rest > 0 else "")


def _within(accepted: float | None, held: float, tighter: Any) -> float:
    return held if accepted is None else float(tighter(accepted, held))


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an int beyond float64
        return float("inf") if value > 0 else float("-inf")


def _number(value: float) -> str:
    return str(int(value)) if value % 1 == 0 and abs(value) < 1e15 else repr(value)
