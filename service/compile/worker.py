"""Compiling in a process of its own, which can be killed: a conversion may never end, or bring its process down.

``python -m service.compile.worker`` is what the process runs. It imports what compiling needs, and then waits for a
line on standard input: the folder in which ``job`` holds the estimator, its signature and the measured rows, and
``result`` receives what ``compile_and_measure`` returns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import joblib

from service.bundle import Signature
from service.compile.compiler import Compiled, Measured, compile_and_measure

TIMEOUT_SECONDS = 300.0


class CompileWorker:
    """A process that compiles one estimator; started early, it is ready when the rows are. It ends with the block."""

    def __init__(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.compile.worker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def compile(self, estimator: Any, signature: Signature, measured: list[Measured]) -> Compiled:
        """``compile_and_measure`` in the process; one that dies or takes too long is a graph refused."""
        with tempfile.TemporaryDirectory(prefix="alphard-") as folder:
            try:
                joblib.dump((estimator, signature, [tuple(part) for part in measured]), Path(folder, "job"))
            except Exception as error:  # pickling raises whatever the estimator's parts raise
                return Compiled(b"", None, f"the estimator cannot be handed to the compiler: {str(error)[:200]}")
            try:
                _, errors = self._process.communicate(os.fsencode(folder), timeout=self._timeout_seconds)
            except subprocess.TimeoutExpired:
                return Compiled(b"", None, f"its graph was not made within {self._timeout_seconds:g} seconds")
            result = Path(folder, "result")
            if self._process.returncode != 0 or not result.exists():
                last = errors.decode(errors="replace").strip().rpartition("\n")[2]
                return Compiled(b"", None, f"the compiler ended with status {self._process.returncode}: {last[:200]}")
            compiled: Compiled = joblib.load(result)
            return compiled


def main() -> None:
    folder = Path(os.fsdecode(sys.stdin.buffer.read()))
    estimator, signature, measured = joblib.load(folder / "job")
    compiled = compile_and_measure(estimator, signature, [Measured(*part) for part in measured])
    joblib.dump(compiled, folder / "result")


if __name__ == "__main__":
    main()
