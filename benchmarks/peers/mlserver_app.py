"""MLServer with its own batching: writes its settings beside the model and becomes it.

``BENCHMARK_MODEL`` is a folder that ``benchmarks.models`` wrote.
"""

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    model = Path(os.environ["BENCHMARK_MODEL"])
    folder = model / "mlserver"
    folder.mkdir(exist_ok=True)
    port = int(sys.argv[1])
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "parallel_workers": 0,
        "debug": False,
    }
    served = {
        "name": "model",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "max_batch_size": 32,
        "max_batch_time": 0.001,
        "parameters": {"uri": str(model / "model.joblib")},
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(served))
    program = Path(sys.executable).with_name("mlserver")
    os.execv(program, [str(program), "start", str(folder)])  # noqa: S606  # a program of the same environment
