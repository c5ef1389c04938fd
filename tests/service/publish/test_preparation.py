from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from service.publish.preparation import prepare

X = np.random.default_rng(0).normal(size=(60, 2))
Y = (X[:, 0] > 0).astype(int)


class _KnowsItsRows(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
    def predict(self, X: Any) -> Any:
        if not np.isin(X, self.known_).all():
            raise ValueError("these rows are new")
        return super().predict(X)


def test_an_estimator_may_refuse_every_hard_row() -> None:
    estimator = _KnowsItsRows().fit(X[:, :1], Y)
    estimator.known_ = np.append(X[:, :1], 1e308)
    prepared = prepare(estimator, X[:, :1])
    assert prepared.refused > 0
    assert len(prepared.hard.answers.predictions) == len(prepared.hard.rows.numbers)
