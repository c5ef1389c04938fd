"""The service that one would write by hand: FastAPI, Pydantic, scikit-learn.

``BENCHMARK_MODEL`` is a folder that ``benchmarks.models`` wrote.
"""

from __future__ import annotations

import os
from pathlib import Path

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

_ESTIMATOR = joblib.load(Path(os.environ["BENCHMARK_MODEL"]) / "model.joblib")

app = FastAPI()


class Request(BaseModel):
    instances: list[list[float | str]]


class Response(BaseModel):
    predictions: list[str]


@app.post("/predict")
def predict(request: Request) -> Response:
    rows = pd.DataFrame(request.instances, columns=_ESTIMATOR.feature_names_in_)
    return Response(predictions=_ESTIMATOR.predict(rows).tolist())
