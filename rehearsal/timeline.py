"""What happened in a scene, and when: the lives of tasks, and the moments of the deployment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

TaskState = Literal["starting", "ready", "unhealthy", "draining", "stopping", "stopped"]
"""``draining`` while it is being deregistered, ``stopping`` from SIGTERM on, ``stopped`` when its process has ended."""


class Life(NamedTuple):
    """A task: its number, the release that it belongs to, and since when (seconds) it has been in each state."""

    task: str
    release: str
    states: list[tuple[float, TaskState]]


class Moment(NamedTuple):
    seconds: float
    text: str


class Timeline:
    """Seconds count from ``started_at``, a reading of ``time.monotonic``, which all processes of a machine share."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.started_at = clock()
        self.lives: dict[str, Life] = {}
        self.moments: list[Moment] = []

    def begin(self) -> None:
        """Lets the scene begin now: what led up to it is left out, but for what each task has come to."""
        self.started_at = self._clock()
        self.moments.clear()
        for name, life in list(self.lives.items()):
            self.lives[name] = life._replace(states=[(0.0, life.states[-1][1])])

    def now(self) -> float:
        return self._clock() - self.started_at

    def enter(self, task: str, release: str, state: TaskState) -> None:
        """Says that the task is in this state from now on."""
        states = self.lives.setdefault(task, Life(task, release, [])).states
        if not states or states[-1][1] != state:
            states.append((round(self.now(), 3), state))

    def mark(self, text: str) -> None:
        """Says what happens now, in a few words."""
        self.moments.append(Moment(round(self.now(), 3), text))

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "tasks": [life._asdict() for life in self.lives.values()],
            "moments": [moment._asdict() for moment in self.moments],
        }
