"""Answers to JSON, straight from the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.bundle import Answers, Manifest


def encode_answers(answers: Answers, manifest: Manifest, *, legacy: bool = False) -> bytes:
    """The body of a prediction's response; NaN and infinities become null.

    ``legacy`` answers the one row of a request in the form of version 0.2.
    """
    found: dict[str, Any] = {"predictions": _dumpable(answers.predictions)}
    if answers.probabilities is not None:
        found["probabilities"] = _probabilities(answers.probabilities)
    if answers.decision_values is not None:
        found["decision_values"] = _dumpable(answers.decision_values)
    document = {"prediction" if legacy else "predictions": found.pop("predictions")} | found
    if legacy:
        document = {key: rows[0] for key, rows in document.items()}
    if answers.probabilities is not None:
        outputs = manifest.signature.outputs
        document["classes"] = outputs.classes_by_output or outputs.classes
    if not legacy:
        document["model"] = {"name": manifest.name, "version": manifest.version}
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def plain(array: NDArray[Any]) -> list[Any]:
    """An array of answers as JSON-ready values by its dtype, nested as its shape is; NaN and infinities become None."""
    if array.dtype.kind == "f":
        values = array.astype(object)
        values[~np.isfinite(array)] = None
        return list(values.tolist())
    if array.dtype == object:
        cells: list[Any] = array.tolist()
        return cells if set(map(type, cells)) == {str} else [_plain_cell(value) for value in cells]
    return list(array.tolist())


def _plain_cell(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain_cell(each) for each in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _dumpable(array: NDArray[Any]) -> Any:
    """What orjson writes as it should be: a float32 as the float64 that it equals, not by its own shortest digits."""
    if array.dtype.kind == "f":
        return np.ascontiguousarray(array, np.float64)
    if array.dtype.kind in "biu":
        return np.ascontiguousarray(array)
    return plain(array)


def _probabilities(probabilities: NDArray[Any] | tuple[NDArray[Any], ...]) -> Any:
    if not isinstance(probabilities, tuple):
        return _dumpable(probabilities)
    return [list(row) for row in zip(*map(_dumpable, probabilities), strict=True)]
