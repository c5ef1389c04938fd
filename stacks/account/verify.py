"""Whether a deployment answers as its model must: ready, and the golden rows give the golden answers over HTTP."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from stacks.account.model import Golden
from stacks.errors import CommandError

_TOLERANCE = 1e-5
"""Of a number's scale, as the service itself holds its engine to the golden answers."""

_PAUSE_SECONDS = 2.0
_REQUEST_SECONDS = 20.0
"""Longer than the service may take, by its default deadline."""


def verify(url: str, golden: Golden, *, deadline_seconds: float) -> str:
    """Waits until the service is ready with the golden version, asks for one prediction, and says what was proven.

    Raises CommandError, which says what was seen last.
    """
    _wait_until_ready(url, golden, deadline_seconds)
    _compare(golden, _predict(url, golden))
    rows = f"{len(golden.rows)} golden row{'s' if len(golden.rows) != 1 else ''}"
    return f"{url} is ready with {golden.name} {golden.version}, and answers its {rows} as published"


def agree(expected: Any, got: Any, scale: float) -> bool:
    """Whether two JSON values are the same.

    Numbers may differ by the tolerance of their magnitude or of ``scale``, whichever is larger; the rest is equal.
    """
    if isinstance(expected, list):
        return (
            isinstance(got, list)
            and len(expected) == len(got)
            and all(agree(one, other, scale) for one, other in zip(expected, got, strict=True))
        )
    if isinstance(expected, float) and isinstance(got, int | float) and not isinstance(got, bool):
        return math.isclose(expected, got, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE * scale)
    return type(expected) is type(got) and bool(expected == got)


def _wait_until_ready(url: str, golden: Golden, deadline_seconds: float) -> None:
    give_up_at = time.monotonic() + deadline_seconds
    while (seen := _unready(url, golden)) is not None:
        if time.monotonic() > give_up_at:
            raise CommandError(f"{url}/ready: {seen}, after {deadline_seconds:g} seconds")
        time.sleep(_PAUSE_SECONDS)


def _unready(url: str, golden: Golden) -> str | None:
    """What is still wrong, or None."""
    try:
        status, document = _ask(url, "GET", "/ready")
    except (OSError, HTTPException) as error:
        return f"no answer ({str(error) or type(error).__name__})"
    if status != 200 or not isinstance(document, dict):
        detail = document.get("detail") or document.get("title") if isinstance(document, dict) else None
        return f"status {status}" + (f" ({detail})" if detail else "")
    served, wanted = document.get("model"), {"name": golden.name, "version": golden.version}
    if served == wanted:
        return None
    rejected = document.get("rejected")
    why = f"; {rejected['version']} was rejected: {rejected['detail']}" if rejected else ""
    return f"serves {served}, not {wanted}{why}"


def _predict(url: str, golden: Golden) -> dict[str, Any]:
    request: dict[str, Any] = {"instances": golden.rows}
    if golden.probabilities is not None:
        request["probabilities"] = True
    try:
        status, document = _ask(url, "POST", "/predict", json.dumps(request).encode())
    except (OSError, HTTPException) as error:
        raise CommandError(f"{url}/predict: no answer ({str(error) or type(error).__name__})") from error
    if status != 200 or not isinstance(document, dict):
        raise CommandError(f"{url}/predict: status {status}: {str(document)[:300]}")
    return document


def _compare(golden: Golden, document: dict[str, Any]) -> None:
    scale = statistics.median([abs(number) for number in _numbers(golden.predictions)] or [0.0])
    for key, expected, of in (("predictions", golden.predictions, scale), ("probabilities", golden.probabilities, 1.0)):
        got = document.get(key)
        if expected is not None and not agree(expected, got, of):
            raise CommandError(f"the golden rows get other {key}: {_short(got)}, published were {_short(expected)}")


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, float) and math.isfinite(value):
        yield value


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _ask(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    """The status and the JSON of an answer; what is not JSON comes as text. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.netloc, timeout=_REQUEST_SECONDS)
    try:
        connection.request(method, parts.path.rstrip("/") + path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    try:
        return response.status, json.loads(content)
    except ValueError:
        return response.status, content.decode("utf-8", "replace")[:300]
