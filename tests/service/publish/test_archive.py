from __future__ import annotations

import functools
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from service.engines.sklearn import load_estimator
from service.errors import PublishError
from service.publish.archive import archive_estimator

X = np.random.default_rng(0).normal(size=(60, 3))


@pytest.mark.parametrize(
    "estimator", [RandomForestClassifier(3, random_state=0), HistGradientBoostingRegressor(max_iter=3)], ids=type
)
def test_the_same_estimator_gives_the_same_bytes_wherever_it_lies_in_memory(estimator: Any) -> None:
    estimator.fit(X, (X[:, 0] > 0).astype(int))
    copy = pickle.loads(pickle.dumps(estimator))
    assert archive_estimator(estimator) == archive_estimator(copy)


def test_another_estimator_gives_other_bytes() -> None:
    first, second = (LinearRegression().fit(X, X[:, i]) for i in (0, 1))
    assert archive_estimator(first) != archive_estimator(second)


def test_what_is_loaded_answers_as_what_was_stored() -> None:
    estimator = RandomForestClassifier(5, random_state=0).fit(X, np.where(X[:, 0] > 0, "a", "b"))
    loaded = load_estimator(*archive_estimator(estimator))
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))


def test_a_function_of_the_trainers_own_is_refused_by_name() -> None:
    def double(rows: Any) -> Any:
        return rows * 2

    estimator = make_pipeline(FunctionTransformer(functools.partial(double)), LinearRegression()).fit(X, X[:, 0])
    with pytest.raises(PublishError, match="double"):
        archive_estimator(estimator)
