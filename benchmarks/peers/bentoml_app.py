"""BentoML with its own batching. ``BENCHMARK_MODEL`` is a folder that ``benchmarks.models`` wrote."""

import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1, traffic={"timeout": 30})
class Predictor:
    def __init__(self) -> None:
        self.estimator = joblib.load(Path(os.environ["BENCHMARK_MODEL"]) / "model.joblib")

    @bentoml.api(batchable=True, max_batch_size=1024, max_latency_ms=1000)
    def predict(self, instances: np.ndarray) -> list[Any]:
        predictions: list[Any] = self.estimator.predict(instances).tolist()
        return predictions
