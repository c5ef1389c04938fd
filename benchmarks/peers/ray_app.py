"""Ray Serve with its own batching. ``BENCHMARK_MODEL`` is a folder that ``benchmarks.models`` wrote."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import ray
from ray import serve
from starlette.requests import Request


@serve.deployment(max_ongoing_requests=100)
class Predictor:
    def __init__(self, folder: str) -> None:
        self.estimator = joblib.load(Path(folder) / "model.joblib")

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.001)
    async def predict(self, parts: list[Any]) -> list[Any]:
        """All rows of a batch by one call, then each request's again."""
        predictions = self.estimator.predict(np.concatenate(parts))
        ends = np.cumsum([len(each) for each in parts])[:-1]
        return [each.tolist() for each in np.split(predictions, ends)]

    async def __call__(self, request: Request) -> dict[str, Any]:
        rows = np.array((await request.json())["instances"])
        return {"predictions": await self.predict(rows)}


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200_000_000)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1]), "access_log": False})
    bound = Predictor.bind(os.environ["BENCHMARK_MODEL"])  # type: ignore[attr-defined]  # the decorator gives it
    serve.run(bound, route_prefix="/predict")
    while True:
        time.sleep(1)
