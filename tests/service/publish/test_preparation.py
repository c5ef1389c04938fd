from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from service.errors import PublishError
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


def test_numbers_held_as_objects_stay_objects_only_where_the_estimator_needs_them() -> None:
    rows = np.array([[0, 3], [1, 4], [2, 3]] * 10, object)
    labels = [0, 1, 1] * 10
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)  # looks for its objects in vain else
    encoded = prepare(make_pipeline(encoder, LogisticRegression()).fit(rows, labels), rows)
    plain = prepare(LogisticRegression().fit(rows, labels), rows)
    assert {feature.frame_dtype for feature in encoded.signature.features} == {"object"}
    assert {feature.frame_dtype for feature in plain.signature.features} == {"float64"}


def test_a_model_of_texts_that_reads_a_frame_as_its_column_names_is_refused() -> None:
    texts = ["good day", "bad night"] * 10
    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0] * 10)
    frame = pd.DataFrame({"title": texts, "body": texts})
    with pytest.raises(PublishError, match="not one a row"):
        prepare(estimator, frame)
