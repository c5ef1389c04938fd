"""Results of scenes that nobody played: 200 requests a second for 80 seconds, two old tasks and two new ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

from rehearsal.outcomes import Outcome
from rehearsal.results import SceneResult

RATE, BEGIN, SECONDS = 200, 5, 80
_OLD, _NEW = "1f0c2d9", "8be41a7"


def rollout(*, hold: bool = True) -> SceneResult:
    """A new image tag. Without the hold of the drain, what goes to a task that no longer listens is lost."""
    stops = (45.0, 63.0)
    outcomes = _traffic(seed=1)
    if not hold:
        outcomes = [_reset(each) if _falls_in(each, stops, 1.5) else each for each in outcomes]
    drained = [(stop - (15 if hold else 0), stop) for stop in stops]
    return scene(
        name="a new image tag",
        question="Does any client notice that both tasks are replaced by a new release?",
        without=None if hold else "drain hold",
        setting="" if hold else "ALPHARD_DRAIN_HOLD_SECONDS 15 -> 0",
        timeline=_rolling(drained),
        outcomes=outcomes,
    )


def promotion() -> SceneResult:
    """The model's version changes from one task to the next."""
    rng = random.Random(2)  # noqa: S311 - a drawing, not a secret
    outcomes = [
        each._replace(version="2" if rng.random() < (each.intended_at - 30) / 10 else "1") for each in _traffic(2)
    ]
    name = "a model promotion while rolling"
    return scene(name=name, timeline=_rolling([(30, 45), (48, 63)]), outcomes=outcomes)


def killed() -> SceneResult:
    """A task is killed outright, with three requests in its hands."""
    outcomes = list(_traffic(3))
    first = (40 - BEGIN) * RATE
    outcomes[first : first + 3] = [_reset(each) for each in outcomes[first : first + 3]]
    states = [[0, "starting"], [3, "ready"], [40, "stopped"]]
    tasks = [task("1", _OLD, states), task("2", _OLD, [[0, "starting"], [3.1, "ready"]])]
    tasks.append(task("3", _OLD, [[41, "starting"], [44, "ready"]]))
    timeline = {"tasks": tasks, "moments": [{"seconds": 40.0, "text": "SIGKILL to task 1"}]}
    return scene(name="a task killed with SIGKILL", timeline=timeline, outcomes=outcomes, allowed_to_fail=3)


def bad_release(*, golden: bool = True) -> SceneResult:
    """A release that answers wrongly: it never becomes ready, or, unchecked, it serves."""
    outcomes = _traffic(4)
    if not golden:
        outcomes = [
            each._replace(kind="wrong", detail="0.25 instead of 0.75") if each.intended_at > 50 and index % 2 else each
            for index, each in enumerate(outcomes)
        ]
    bad = [[20, "starting"], [45, "ready"]] if not golden else [[20, "starting"], [45, "unhealthy"], [47, "stopped"]]
    serving = [task(each, _OLD, [[0, "starting"], [3, "ready"]]) for each in ("1", "2")]
    timeline = {
        "tasks": [*serving, task("3", _NEW, bad)],
        "moments": [{"seconds": 20, "text": "new release"}, {"seconds": 47, "text": "circuit breaker"}],
    }
    return scene(
        name="golden answers that differ",
        without=None if golden else "golden check",
        setting="" if golden else "ALPHARD_GOLDEN_CHECK on -> off",
        timeline=timeline,
        outcomes=outcomes,
        expected="rolled back" if golden else "deployed",
        found="rolled back" if golden else "deployed",
    )


def season() -> list[SceneResult]:
    """All of them, as they may come from processes of their own: in any order."""
    return [rollout(), rollout(hold=False), promotion(), killed(), bad_release(), bad_release(golden=False)]


def scene(
    *,
    name: str,
    timeline: dict[str, Any],
    outcomes: Sequence[Outcome],
    question: str = "Is any request lost?",
    without: str | None = None,
    setting: str = "",
    allowed_to_fail: int = 0,
    expected: str = "deployed",
    found: str = "deployed",
) -> SceneResult:
    return SceneResult(
        name=name,
        question=question,
        without=without,
        setting=setting,
        order="drain first",
        rate=RATE,
        timeline=timeline,
        outcomes=outcomes,
        allowed_to_fail=allowed_to_fail,
        expected=expected,
        found=found,
        seconds=BEGIN + SECONDS,
        harmed=allowed_to_fail > 0,
    )


@cache
def _traffic(seed: int) -> Sequence[Outcome]:
    rng = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    return tuple(
        Outcome(
            intended_at=BEGIN + index / RATE,
            latency_seconds=round(0.002 * rng.lognormvariate(0, 0.4) * (20 if rng.random() < 0.004 else 1), 6),
            kind="answered",
            status=200,
            rows=rng.choice((1, 1, 1, 64)),
            kept_alive=rng.random() < 0.7,
            version="1",
        )
        for index in range(RATE * SECONDS)
    )


def _falls_in(outcome: Outcome, stops: Sequence[float], seconds: float) -> bool:
    turn = round(outcome.intended_at * RATE)
    return turn % 2 == 0 and any(stop <= outcome.intended_at < stop + seconds for stop in stops)


def _reset(outcome: Outcome) -> Outcome:
    if outcome.rows == 1 and outcome.kept_alive:
        return outcome._replace(kind="cut", status=None, version=None, detail="connection reset by peer")
    return outcome._replace(kind="refused", status=503, version=None, detail="no server is available")


def _rolling(drained: Sequence[tuple[float, float]]) -> dict[str, Any]:
    old = [
        task(number, _OLD, [[0, "starting"], [3.2, "ready"], [begin, "draining"], [stop, "stopping"], [end, "stopped"]])
        for number, (begin, stop), end in zip("12", drained, (47.5, 65.0), strict=True)
    ]
    new = [
        task("3", _NEW, [[12, "starting"], [28.5, "ready"]]),
        task("4", _NEW, [[46, "starting"], [47.5, "ready"]]),
    ]
    moments = [(10.0, "update of the service to the new task definition"), (28.5, "task 3 is healthy")]
    for number, (begin, stop) in zip("12", drained, strict=True):
        moments += [(begin, f"task {number} is deregistered"), (stop, f"SIGTERM to task {number}")]
    moments.append((66.0, "deployment completed"))
    told = [{"seconds": seconds, "text": text} for seconds, text in sorted(moments)]
    return {"tasks": old + new, "moments": told}


def task(number: str, release: str, states: list[list[Any]]) -> dict[str, Any]:
    return {"task": number, "release": release, "states": states}
