"""What a start costs at least: a FastAPI app that imports the same engine, loads the graph, and does nothing."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # as in the service

import onnxruntime

_SESSION = onnxruntime.InferenceSession(Path(os.environ["BENCHMARK_MODEL"]) / "model.onnx")

app = FastAPI()


@app.get("/ready")
def ready() -> dict[str, int]:
    return {"inputs": len(_SESSION.get_inputs())}
