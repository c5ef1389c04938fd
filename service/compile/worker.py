"""Compiling in a process of its own, which can be killed: a conversion may never end, or bring its process down.

``python -m service.compile.worker JOB RESULT`` is what the process runs: JOB holds the estimator, its signature and the
measured rows, RESULT receives what ``compile_and_measure`` returns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import joblib

from service.bundle import Signature
from service.compile.compiler import Compiled, Measured, compile_and_measure

TIMEOUT_SECONDS = 300.0


def compile_apart(
    estimator: Any, signature: Signature, measured: list[Measured], *, timeout_seconds: float = TIMEOUT_SECONDS
) -> Compiled:
    """``compile_and_measure`` in another process; one that dies or takes too long is a graph refused."""
    with tempfile.TemporaryDirectory(prefix="alphard-") as folder:
        job, result = Path(folder, "job"), Path(folder, "result")
        try:
            joblib.dump((estimator, signature, [tuple(part) for part in measured]), job)
        except Exception as error:  # pickling raises whatever the estimator's parts raise
            return Compiled(b"", None, f"the estimator cannot be handed to the compiler: {str(error)[:200]}")
        command = [sys.executable, "-m", "service.compile.worker", str(job), str(result)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=timeout_seconds, check=False)  # noqa: S603 - our own module
        except subprocess.TimeoutExpired:
            return Compiled(b"", None, f"its graph was not made within {timeout_seconds:g} seconds")
        if done.returncode != 0 or not result.exists():
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            return Compiled(b"", None, f"the compiler ended with status {done.returncode}: {last[:200]}")
        compiled: Compiled = joblib.load(result)
        return compiled


def main() -> None:
    estimator, signature, measured = joblib.load(sys.argv[1])
    joblib.dump(compile_and_measure(estimator, signature, [Measured(*part) for part in measured]), sys.argv[2])


if __name__ == "__main__":
    main()
