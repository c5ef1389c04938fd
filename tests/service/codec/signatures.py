"""Signatures for tests: built by hand, or by hypothesis together with rows that fit or nearly fit them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from service.bundle import Feature, Outputs, Signature

CLASSES = Outputs(dtype="string", classes=("no", "yes"), probabilities=True, decision_width=0)


def feature(name: str, dtype: Any = "float64", **rules: Any) -> Feature:
    return Feature(name=name, dtype=dtype, **{"nullable": False, **rules})


def signature(*features: Feature, container: Any = "frame", outputs: Outputs = CLASSES) -> Signature:
    return Signature(container=container, features=features, outputs=outputs)


def texts() -> Signature:
    return signature(feature("text", "string"), container="texts")


NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from(
        [0.5, -0.0, 3.0, 1e30, 3.4028235677973366e38, 3.4028235677973362e38, 1e300, 2**63, 2**63 - 1025, -(2**63)]
    ),
    st.sampled_from([2**53 + 1, 2**64 - 1, 10**400, 5e-324]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.sampled_from(["", "a", "b", "é", "1.5", "nan", "x" * 60]), st.text(max_size=5)
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@st.composite
def features(draw: st.DrawFn, name: str) -> Feature:
    dtype = draw(st.sampled_from(["float64", "float32", "int64", "bool", "string"]))
    closed = dtype != "bool" and draw(st.booleans())
    categories: tuple[Any, ...] | None = ("a", "b", "é") if dtype == "string" else (-1, 0, 2) if closed else None
    bounds = st.none() | st.floats(-5, 5)
    ranged = dtype not in ("string", "bool")
    return feature(
        name,
        dtype,
        nullable=draw(st.booleans()),
        closed=closed,
        categories=categories,
        accepts_min=draw(bounds) if ranged else None,
        accepts_max=draw(bounds) if ranged else None,
    )


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    if draw(st.integers(0, 9)) == 0:
        return texts()
    count = draw(st.integers(1, 4))
    return signature(*[draw(features(f"f{i}")) for i in range(count)])


def cells(of: Feature) -> st.SearchStrategy[Any]:
    """Mostly cells of the feature's kind, sometimes anything."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(["a", "b", "é", "other"]),
        "bool": st.sampled_from([True, False, 0, 1, 1.0]),
        "int64": st.integers(-3, 3) | st.sampled_from([2.0, 2**62]),
    }
    usual = kinds.get(of.dtype, st.integers(-3, 3) | st.floats(-6, 6))
    return st.one_of(usual, usual, usual, usual | st.none(), usual | SCALARS)


@st.composite
def instances(draw: st.DrawFn, of: Signature) -> list[Any]:
    """Rows in one form or in several, right or wrong."""
    row = st.tuples(*map(cells, of.features)).map(list)
    by_name = row.map(lambda values: dict(zip([f.name for f in of.features], values, strict=True)))
    form = draw(st.sampled_from([row, by_name, row | by_name, row | by_name | JSON, st.text(max_size=4)]))
    return draw(st.lists(form, max_size=5))


def bodies(of: Signature) -> st.SearchStrategy[bytes]:
    """Requests for the signature, right or wrong."""
    return bodies_of(instances(of))


@st.composite
def bodies_of(draw: st.DrawFn, rows: st.SearchStrategy[list[Any]]) -> bytes:
    """Requests as JSON in several spellings, sometimes with bytes cut out, put in or doubled."""
    document: dict[str, Any] = {"instances": draw(rows)}
    options = draw(st.dictionaries(st.sampled_from(["probabilities", "decision_values", "other"]), st.booleans()))
    document = draw(st.sampled_from([document | options, options | document, {"features": 1} | document]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]))
    body = json.dumps(document, separators=separators, ensure_ascii=draw(st.booleans())).encode(
        "utf-8", "surrogatepass"
    )
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.sampled_from([0, 0, 1, 1, 2, 5]))
        noise = draw(st.sampled_from(_NOISE) | st.binary(max_size=3) | st.just(body[start : start + 9]))
        body = body[:start] + noise + body[end:]
    return body


_NOISE = [
    b'"',
    b"\\",
    b"[",
    b"]",
    b",",
    b"0",
    b"1",
    b"-",
    b".",
    b"e1",
    b" ",
    b"{",
    b"}",
    b":",
    b"null",
    b"true",
    b"\xff",
]
