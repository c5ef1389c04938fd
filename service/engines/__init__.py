"""Engines: what runs a model's artifact on decoded rows."""

from __future__ import annotations

from typing import Protocol

from service.bundle import Answers, Rows


class Engine(Protocol):
    """Runs one artifact. Calls may come from several threads, and must not wait for anything but the processor."""

    def predict(self, rows: Rows, *, probabilities: bool = False, decision_values: bool = False) -> Answers:
        """Answers in the estimator's own types and shapes, one for each row.

        Asking for what the model does not have is the caller's mistake (see ``Outputs``). Raises RowsError where the
        estimator itself refuses a row, EngineError on any other failure.
        """
        ...
