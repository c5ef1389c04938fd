"""MLflow's ``models serve``: writes the model as MLflow keeps it and becomes the server, which has no batching.

``BENCHMARK_MODEL`` is a folder that ``benchmarks.models`` wrote.
"""

import os
import shutil
import sys
from pathlib import Path

import joblib
import mlflow.sklearn

if __name__ == "__main__":
    model = Path(os.environ["BENCHMARK_MODEL"])
    folder = model / "mlflow"
    shutil.rmtree(folder, ignore_errors=True)
    estimator = joblib.load(model / "model.joblib")
    mlflow.sklearn.save_model(estimator, folder, serialization_format="cloudpickle")
    program = Path(sys.executable).with_name("mlflow")
    arguments = ["models", "serve", "-m", str(folder), "-h", "127.0.0.1", "-p", sys.argv[1], "--env-manager", "local"]
    os.environ["PATH"] = f"{program.parent}:{os.environ['PATH']}"  # where it finds Uvicorn
    os.execv(program, [str(program), *arguments])  # noqa: S606  # a program of the same environment
