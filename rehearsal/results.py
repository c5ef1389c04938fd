"""What a scene came to, and its JSON: scenes run in processes of their own, and a report can be made again from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rehearsal.outcomes import Outcome
from rehearsal.timeline import Life, Moment

_DIGITS = 6  # microseconds


class SceneResult(NamedTuple):
    """``timeline`` is a Timeline's document; ``outcomes`` hold every request of the scene, also those that failed."""

    name: str
    """In a few words, "a new image tag". With and without its protections a scene has the same name."""
    question: str
    """One sentence: what is at stake and what should happen."""
    without: str | None
    """The protection that is off, "drain hold"; None where all are on."""
    setting: str
    """What was changed for that, "ALPHARD_DRAIN_HOLD_SECONDS 15 -> 0"; else empty."""
    order: str
    """In which a task is taken out: "drain first" as ECS documents it, or "SIGTERM first" as users report it."""
    rate: float
    """Requests a second that were intended."""
    timeline: Mapping[str, Any]
    outcomes: Sequence[Outcome]
    allowed_to_fail: int
    """Failed requests that were in the hands of a task that was killed or frozen, else 0."""
    expected: str
    """How the scene should end, "rolled back"."""
    found: str
    """How it ended, in the same words."""
    seconds: float
    """When it ended and no more traffic was sent; what follows is the taking down."""
    harmed: bool = False
    """Whether a task was killed or frozen in it, so that what was in that task's hands may fail."""

    @property
    def lives(self) -> list[Life]:
        """The tasks, in the order in which they were started."""
        return [
            Life(each["task"], each["release"], [(seconds, state) for seconds, state in each["states"]])
            for each in self.timeline["tasks"]
        ]

    @property
    def moments(self) -> list[Moment]:
        return [Moment(**each) for each in self.timeline["moments"]]


def write_result(result: SceneResult) -> str:
    """JSON in which each field of the outcomes is one column; times to the microsecond."""
    columns: dict[str, list[Any]] = {
        field: [getattr(outcome, field) for outcome in result.outcomes] for field in Outcome._fields
    }
    for field in ("intended_at", "latency_seconds"):
        columns[field] = [round(seconds, _DIGITS) for seconds in columns[field]]
    return json.dumps(result._asdict() | {"outcomes": columns}, separators=(",", ":"))


def read_result(document: str) -> SceneResult:
    """What ``write_result`` wrote. Raises ValueError for columns of unequal length, KeyError or TypeError else."""
    fields = json.loads(document)
    columns = fields.pop("outcomes")
    rows = zip(*(columns[field] for field in Outcome._fields), strict=True)
    return SceneResult(**fields, outcomes=[Outcome(*row) for row in rows])
