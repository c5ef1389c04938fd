"""What a start costs at least: a FastAPI app that imports the same engine, loads the graph, and does nothing."""

from __future__ import annotations

import os
from pathlib import Path

import onnxruntime
from fastapi import FastAPI

_SESSION = onnxruntime.InferenceSession(Path(os.environ["BENCHMARK_MODEL"]) / "model.onnx")

app = FastAPI()


@app.get("/ready")
def ready() -> dict[str, int]:
    return {"inputs": len(_SESSION.get_inputs())}
