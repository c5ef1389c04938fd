"""A request's bytes to rows, by the signature of the model that will answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from service.bundle import Rows, Signature
from service.codec.bytewise import BytewiseDecoder
from service.codec.careful import CarefulDecoder, Problems
from service.codec.columns import Column, NumberColumn, columns_of, describe, quote
from service.codec.fast import FastDecoder
from service.codec.numeric import NumericDecoder
from service.errors import MalformedError, TooLargeError

BYTEWISE_BYTES = 8 * 1024
BYTEWISE_NAMED_BYTES = 64 * 1024
"""From these lengths on, of rows as arrays and by name, ``BytewiseDecoder`` takes less time than ``FastDecoder``."""

_KEYS = ("instances", "features", "probabilities", "decision_values")


class Request(NamedTuple):
    """What a request asks for; ``legacy`` if in the form of version 0.2, one row under ``features``."""

    rows: Rows
    probabilities: bool
    decision_values: bool
    legacy: bool


class Decoder:
    """Decodes requests for one signature; make it once for a model.

    Where a key of an object is repeated, the last value counts (as with most parsers: RFC 8259, section 4).
    """

    def __init__(self, signature: Signature) -> None:
        columns = columns_of(signature)
        texts = signature.container == "texts"
        self._fast = FastDecoder(columns, texts=texts)
        self._careful = CarefulDecoder(columns, texts=texts)
        numeric = [column for column in columns if isinstance(column, NumberColumn)]
        self._numeric = NumericDecoder(numeric) if len(numeric) == len(columns) else None
        self._bytewise = _bytewise_decoder(columns)
        self._available = {
            "probabilities": signature.outputs.probabilities,
            "decision_values": signature.outputs.decision_width is not None,
        }

    def request(self, body: bytes, *, max_rows: int) -> Request:
        """Raises MalformedError, TooLargeError (more than ``max_rows`` rows) or RowsError."""
        return self._request_from_bytes(body, max_rows) or self._request(_parse(body), max_rows)

    def plain_request(self, body: bytes, *, max_rows: int) -> Request | None:
        """A request in which all is in order, in microseconds; None for any other, be it wrong or not."""
        return self._request_from_bytes(body, max_rows) or self._ordinary_request(body, max_rows)

    def _request_from_bytes(self, body: bytes, max_rows: int) -> Request | None:
        """A request whose cells never become objects, where that takes less time."""
        if self._numeric is not None and _is_numeric(body):
            return self._numeric_request(self._numeric, body, max_rows)
        return self._bytewise_request(body, max_rows)

    def _numeric_request(self, numeric: NumericDecoder, body: bytes, max_rows: int) -> Request | None:
        found = numeric.decode(body, max_rows=max_rows)
        if found is None or not self._gives(found.options):
            return None
        return _plain(Rows(found.numbers, np.empty((len(found.numbers), 0), np.object_)), found.options)

    def _bytewise_request(self, body: bytes, max_rows: int) -> Request | None:
        if self._bytewise is None or len(body) < BYTEWISE_BYTES:
            return None
        if len(body) < BYTEWISE_NAMED_BYTES and body.startswith(b"[{", body.find(b"[")):
            return None
        found = self._bytewise.decode(body, max_rows=max_rows)
        return None if found is None or not self._gives(found.options) else _plain(found.rows, found.options)

    def _ordinary_request(self, body: bytes, max_rows: int) -> Request | None:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        instances = document.pop("instances", None) if isinstance(document, dict) else None
        if not isinstance(instances, list) or len(instances) > max_rows or not self._gives(document):
            return None
        rows = self._fast.decode(instances, booleans=_may_hold_booleans(body))
        return None if rows is None else _plain(rows, document)

    def _gives(self, options: dict[str, Any]) -> bool:
        """Whether all of these are options, and the model has what is asked for."""
        return all(
            key in self._available and (given is False or (given is True and self._available[key]))
            for key, given in options.items()
        )

    def _request(self, document: dict[str, Any], max_rows: int) -> Request:
        problems = Problems()
        for key in document.keys() - set(_KEYS):
            problems.add(quote(key)[1:-1], f"no such key; allowed are {', '.join(_KEYS)}")
        probabilities, decision_values = (
            _option(document, key, available, problems) for key, available in self._available.items()
        )
        rows = problems.settle(self._requested_rows(document, max_rows, problems))
        return Request(rows, probabilities, decision_values, "features" in document)

    def instances(self, instances: Sequence[Any], where: str = "instances") -> Rows:
        """Rows from JSON values that were parsed before. Raises RowsError."""
        problems = Problems()
        return problems.settle(self._rows(instances, lambda index: f"{where}[{index}]", problems))

    def _requested_rows(self, document: dict[str, Any], max_rows: int, problems: Problems) -> Rows | None:
        if "features" in document:
            if "instances" in document:
                problems.add("features", "send either instances or features, not both")
            return self._rows([document["features"]], lambda _: "features", problems)
        if "instances" not in document:
            problems.add("instances", "missing: send the rows as an array")
            return None
        instances = document["instances"]
        if not isinstance(instances, list):
            problems.add("instances", f"expected an array of rows, got {describe(instances)}")
            return None
        if len(instances) > max_rows:
            raise TooLargeError(f"{len(instances)} rows are more than the {max_rows} that a request may hold")
        if not instances:
            problems.add("instances", "expected at least one row")
            return None
        return self._rows(instances, lambda index: f"instances[{index}]", problems)

    def _rows(self, instances: Sequence[Any], locate: Callable[[int], str], problems: Problems) -> Rows | None:
        rows = self._fast.decode(instances)
        return rows if rows is not None else self._careful.decode(instances, locate, problems)


def decode_instances(instances: Sequence[Any], signature: Signature, *, where: str = "instances") -> Rows:
    """Rows from JSON values that were parsed before, as a request's ``instances`` would be. Raises RowsError."""
    return Decoder(signature).instances(instances, where)


def _may_hold_booleans(body: bytes) -> bool:
    # Looking for a single byte takes a hundredth of the time, and most bodies have neither.
    return (b"u" in body and b"true" in body) or (b"l" in body and b"false" in body)


def _plain(rows: Rows, options: dict[str, bool]) -> Request:
    return Request(rows, options.get("probabilities", False), options.get("decision_values", False), legacy=False)


def _bytewise_decoder(columns: Sequence[Column]) -> BytewiseDecoder | None:
    try:
        return BytewiseDecoder(columns)
    except ValueError:
        return None


def _is_numeric(body: bytes) -> bool:
    """Whether there is no string, no object and no null between the first bracket and the last."""
    start, end = body.find(b"["), body.rfind(b"]")
    return body.find(b'"', start, end) < 0 and body.find(b"n", start, end) < 0


def _option(document: dict[str, Any], key: str, available: bool, problems: Problems) -> bool:
    wanted: Any = document.get(key, False)
    if not isinstance(wanted, bool):
        problems.add(key, f"expected true or false, got {describe(wanted)}")
        return False
    if wanted and not available:
        problems.add(key, f"this model gives no {key.replace('_', ' ')}")
    return bool(wanted)


def _parse(body: bytes) -> dict[str, Any]:
    if not body or body.isspace():
        raise MalformedError('the body is empty; send a JSON object such as {"instances": [...]}')
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"the body is not JSON: {error}{_nan_hint(error)}") from None
    if not isinstance(document, dict):
        raise MalformedError(f"expected a JSON object, got {describe(document)}")
    return document


def _nan_hint(error: orjson.JSONDecodeError) -> str:
    found = error.doc[error.pos : error.pos + 9].lstrip("-").lower()
    if found.startswith(("nan", "inf")):
        return "; NaN and Infinity are no JSON values: send null for a missing one"
    return ""
