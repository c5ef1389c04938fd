from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn._loss.loss import HalfBinomialLoss
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_independent, run_graph
from tests.service.compile.split_rows import rows_on_splits

RANDOM = np.random.default_rng(0)
X, Y = make_classification(400, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
MISSING = np.where(RANDOM.random(X.shape) < 0.15, np.nan, X)
LARGE = np.concatenate([np.full((1, 6), 1e30), np.full((1, 6), -np.inf), X[:5] * 1e6])


def hold(estimator: Any, sample: Any, *, tolerance: float = 0) -> None:
    for rows in (sample, rows_on_splits(estimator, sample), LARGE):
        assert_exact(estimator, rows, tolerance=max(tolerance, 1e-14 if hasattr(estimator, "classes_") else 0))
        if hasattr(estimator, "classes_"):
            raw = run_graph(estimator, rows)["decision_values"]
            np.testing.assert_array_equal(raw, estimator.decision_function(rows))
    assert_independent(estimator, sample)
    assert all(len(part) == 0 for part in run_graph(estimator, sample[:0]).values())


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile", "poisson", "gamma"])
def test_a_regressor_is_answered_as_it_answers(loss: str) -> None:
    estimator = HistGradientBoostingRegressor(loss=loss, quantile=0.3 if loss == "quantile" else None, max_iter=8)
    hold(
        estimator.fit(MISSING, X[:, 0] ** 2 + Y + 0.1), MISSING, tolerance=1e-14 if loss in ("poisson", "gamma") else 0
    )


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("trained", ["with missing values", "without"])
def test_the_decision_values_of_a_classifier_are_answered_to_the_last_bit(classes: int, trained: str) -> None:
    target = np.array(list("zaé"))[np.minimum(Y, classes - 1)]
    sample = MISSING if trained == "with missing values" else X
    hold(HistGradientBoostingClassifier(max_iter=8).fit(sample, target), MISSING)


def test_a_tie_of_the_two_classes_is_the_first() -> None:
    estimator = HistGradientBoostingClassifier(max_iter=3).fit(np.zeros((40, 1)), np.arange(40) % 2)
    assert (estimator.decision_function([[0.0]]) == 0).all()
    assert_exact(estimator, np.zeros((3, 1)))
    np.testing.assert_array_equal(run_graph(estimator, np.zeros((1, 1)))["predictions"], [0])


def test_categories_of_numbers_are_told_apart_by_equality() -> None:
    sample = np.column_stack(
        [MISSING[:, 0], RANDOM.integers(0, 5, 400), RANDOM.integers(0, 240, 400) * 1.5 - 7, X[:, 1]]
    )
    target = sample[:, 1] % 2 + np.floor(sample[:, 2]) % 7 + np.nan_to_num(sample[:, 0])
    sample[::17, 1] = np.nan
    estimator = HistGradientBoostingRegressor(max_iter=30, categorical_features=[1, 2], min_samples_leaf=3)
    estimator.fit(sample, target)
    strange = [[0, 2.5, -7, 1], [0, -1, np.nextafter(-7, 0), 1], [0, 1e30, 1e30, 1], [np.inf, -0.5, -5.5, np.nan]]
    assert_exact(estimator, np.concatenate([sample, strange]), tolerance=0)
    assert_exact(estimator, rows_on_splits(estimator, sample), tolerance=0)
    assert_independent(estimator, sample)


def test_categories_by_name_and_by_dtype_are_read_through_the_vocabulary() -> None:
    vocabulary = ("b", "é", "new", "q", "z")
    words = RANDOM.choice(["z", "b", "é", "q"], 400)
    frame = pd.DataFrame({"n": MISSING[:, 0], "w": words, "i": RANDOM.integers(0, 9, 400), "m": X[:, 1]})
    target = (frame.w == "b") * 2.0 + frame.i % 3 + np.nan_to_num(frame.n)
    frame.loc[::19, "w"] = None
    unseen = frame.assign(w=frame.w.where(np.arange(400) % 3 > 0, "new"), i=frame.i * 2)
    for chosen in (["w", "i"], "from_dtype"):
        kind = {"w": pd.CategoricalDtype(["z", "b", "é", "q"]), "i": "category"} if chosen == "from_dtype" else {}
        estimator = HistGradientBoostingRegressor(max_iter=30, categorical_features=chosen, min_samples_leaf=3)
        estimator.fit(frame.astype(kind), target)
        for rows in (frame, unseen):
            codes = np.array(pd.Index(vocabulary).get_indexer(rows.w), np.float64)
            codes[rows.w.isna()] = np.nan
            matrix = np.column_stack([rows.n, codes, rows.i, rows.m]).astype(np.float64)
            given = rows.astype({"w": "category", "i": "category"}) if kind else rows
            assert_exact(estimator, matrix, rows=given, vocabularies=[None, vocabulary, None, None], tolerance=0)


def test_a_split_that_tells_missing_categories_from_all_others_is_answered() -> None:
    sample = RANDOM.integers(0, 3, (200, 1)).astype(np.float64)
    sample[::2] = np.nan
    estimator = HistGradientBoostingRegressor(max_iter=5, categorical_features=[0])
    estimator.fit(sample, np.isnan(sample[:, 0]).astype(np.float64))
    assert_exact(estimator, np.array([[0.0], [1.0], [2.0], [7.0], [np.nan]]), tolerance=0)


def test_a_loss_without_a_known_link_is_refused() -> None:
    estimator = HistGradientBoostingRegressor(max_iter=2).fit(X, Y)
    estimator._loss = HalfBinomialLoss()
    with pytest.raises(UnsupportedError, match="LogitLink"):
        run_graph(estimator, X)
