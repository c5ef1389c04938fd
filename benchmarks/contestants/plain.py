"""The floor that answers: a plain ASGI callable with orjson and ONNX Runtime, and nothing else.

It checks nothing, logs nothing, counts nothing. A model that has no graph is predicted by the estimator itself.
ONNX Runtime reports nothing to its maker, as in the service. ``BENCHMARK_MODEL`` is a folder that
``benchmarks.models`` wrote.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson

_FOLDER = Path(os.environ["BENCHMARK_MODEL"])
_ABOUT = json.loads((_FOLDER / "about.json").read_text())


def _graph() -> Callable[[list[list[Any]]], list[Any]]:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(_FOLDER / "model.onnx", options)
    classes = _ABOUT["classes"]
    codes = {int(i): {each: code for code, each in enumerate(known)} for i, known in _ABOUT["strings"].items()}

    def predict(rows: list[list[Any]]) -> list[Any]:
        for i, known in codes.items():
            for row in rows:
                row[i] = known[row[i]]
        (indices,) = session.run(["predictions"], {"rows": np.array(rows, np.float64)})
        return [classes[index] for index in indices]

    return predict


def _estimator() -> Callable[[list[list[Any]]], list[Any]]:
    import joblib
    import pandas as pd

    estimator = joblib.load(_FOLDER / "model.joblib")

    def predict(rows: list[list[Any]]) -> list[Any]:
        predictions: list[Any] = estimator.predict(pd.DataFrame(rows, columns=_ABOUT["features"])).tolist()
        return predictions

    return predict


_PREDICT = _graph() if (_FOLDER / "model.onnx").exists() else _estimator()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    answer = orjson.dumps({"predictions": _PREDICT(orjson.loads(body)["instances"])})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
