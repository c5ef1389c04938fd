from __future__ import annotations

from typing import Any

import onnxruntime
import pytest
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression

from service.compile import graph
from service.compile.graph import Graph
from tests.service.compile.exactness import assert_close, assert_exact_at_every_scale
from tests.service.compile.samples import fit, measured

KINDS = [CCA, PLSCanonical, PLSRegression]


@pytest.mark.parametrize("kind", KINDS)
def test_several_outputs_are_answered_as_by_the_estimator(kind: Any) -> None:
    X, y = measured(outputs=3)
    assert_exact_at_every_scale(fit(kind, X, y), X)


def test_one_output_is_answered_as_by_the_estimator() -> None:
    X, y = measured()
    assert_exact_at_every_scale(fit(PLSRegression, X, y), X)
    assert_exact_at_every_scale(fit(PLSRegression, X, y[:, None]), X)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_the_estimators(kind: Any) -> None:
    X, y = measured(outputs=3)
    estimator = fit(kind, X, y)
    builder = Graph([None] * X.shape[1])
    scores = graph.transform(estimator, builder.rows)
    session = onnxruntime.InferenceSession(builder.build({"scores": scores}, features=X.shape[1]))
    for rows in (X, X * 1e6):
        assert_close(session.run(None, {graph.INPUT: rows})[0], estimator.transform(rows), 1e-9)
