"""What became of each request, as the traffic saw it and the report shows it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["answered", "refused", "cut", "late", "wrong"]
"""``answered`` as it should be; ``refused`` by a status other than 200; ``cut`` is a connection that could not be made
or that ended without the whole answer; ``late`` is no answer within the client's patience; ``wrong`` is an answer that
is not the estimator's for the version that it names, or names no known version."""


class Outcome(NamedTuple):
    """Seconds count from the scene's start. ``latency_seconds`` counts from ``intended_at``, so no stall is hidden.

    ``status`` is None without an answer; ``version`` is the model's that the answer names.
    """

    intended_at: float
    latency_seconds: float
    kind: Kind
    status: int | None
    rows: int
    kept_alive: bool
    version: str | None
    detail: str = ""
