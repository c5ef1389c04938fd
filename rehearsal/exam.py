"""Requests with the answers that scikit-learn itself gives to them, and whether a service's answer is one of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

TOLERANCE = 1e-9
"""By how much a probability may differ: an engine adds up in another order than scikit-learn does."""

_FILE = "exam.json"


class Solution(NamedTuple):
    """The estimator's own answers of one version to a body's rows: n labels, and n rows of probabilities."""

    predictions: list[Any]
    probabilities: list[list[float]]


class Exam:
    """``bodies`` are requests for predictions with probabilities, ``rows`` the number of rows of each.

    ``solutions`` of each body are by version; no two versions have the same. ``classes`` are the model's, and ``name``
    is its name.
    """

    def __init__(
        self,
        name: str,
        classes: Sequence[Any],
        bodies: Sequence[bytes],
        solutions: Sequence[Mapping[str, Solution]],
    ) -> None:
        self.name = name
        self.classes = list(classes)
        self.bodies = list(bodies)
        self.solutions = list(solutions)
        self.rows = [len(next(iter(each.values())).predictions) for each in solutions]
        # An engine's answer to the same body is the same bytes, so each is looked into once.
        self._right: list[dict[bytes, str]] = [{} for _ in bodies]

    def check(self, index: int, answer: bytes) -> tuple[str | None, str | None]:
        """The version that an answer to this body names, and what is wrong with it; None for what there is not."""
        version = self._right[index].get(answer)
        if version is not None:
            return version, None
        version, fault = self._look(self.solutions[index], answer)
        if version is not None and fault is None:
            self._right[index][answer] = version
        return version, fault

    def write(self, folder: Path) -> None:
        """As a file, for another process to read."""
        questions = [
            {"body": body.decode(), "solutions": {version: solution._asdict() for version, solution in each.items()}}
            for body, each in zip(self.bodies, self.solutions, strict=True)
        ]
        document = {"name": self.name, "classes": self.classes, "questions": questions}
        (folder / _FILE).write_bytes(orjson.dumps(document))

    @staticmethod
    def read(folder: Path) -> Exam:
        """What ``write`` wrote into the folder."""
        document = orjson.loads((folder / _FILE).read_bytes())
        questions = document["questions"]
        return Exam(
            document["name"],
            document["classes"],
            [each["body"].encode() for each in questions],
            [{version: Solution(**found) for version, found in each["solutions"].items()} for each in questions],
        )

    def _look(self, solutions: Mapping[str, Solution], answer: bytes) -> tuple[str | None, str | None]:
        try:
            document = orjson.loads(answer)
            model, predictions = document["model"], document["predictions"]
            probabilities = np.array(document["probabilities"], np.float64)
            version, classes = str(model["version"]), document["classes"]
        except (KeyError, TypeError, ValueError) as error:
            return None, f"no answer to a prediction: {type(error).__name__}: {error}"
        solution = solutions.get(version)
        if solution is None or model["name"] != self.name:
            return version, f"answered by {model['name']} {version}, which nobody published"
        expected = np.array(solution.probabilities)
        if predictions != solution.predictions or classes != self.classes:
            return version, f"other labels than the estimator's of version {version}"
        if probabilities.shape != expected.shape or not np.allclose(probabilities, expected, rtol=0, atol=TOLERANCE):
            return version, f"other probabilities than the estimator's of version {version}"
        return version, None
