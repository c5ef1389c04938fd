"""LitServe with its own batching. ``BENCHMARK_MODEL`` is a folder that ``benchmarks.models`` wrote."""

import os
import sys
from pathlib import Path
from typing import Any

import joblib
import litserve
import numpy as np


class Api(litserve.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002  # LitServe's signature
        self.estimator = joblib.load(Path(os.environ["BENCHMARK_MODEL"]) / "model.joblib")

    def decode_request(self, request: dict[str, Any]) -> Any:
        return np.array(request["instances"])

    def batch(self, inputs: list[Any]) -> list[Any]:
        return inputs

    def unbatch(self, output: list[Any]) -> list[Any]:
        return output

    def predict(self, x: list[Any]) -> list[Any]:
        """All rows of a batch by one call, then each request's again."""
        predictions = self.estimator.predict(np.concatenate(x))
        return np.split(predictions, np.cumsum([len(each) for each in x])[:-1])

    def encode_response(self, output: Any) -> dict[str, Any]:
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Api(max_batch_size=32, batch_timeout=0.001), accelerator="cpu", timeout=False)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
