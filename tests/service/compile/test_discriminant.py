from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn import discriminant_analysis, neighbors

from service.compile import graph
from service.compile.graph import Graph, UnsupportedError
from tests.service.compile.exactness import assert_close, assert_exact, assert_exact_at_every_scale
from tests.service.compile.samples import classified, fit

LINEAR = discriminant_analysis.LinearDiscriminantAnalysis
QUADRATIC = discriminant_analysis.QuadraticDiscriminantAnalysis
CENTROIDS = neighbors.NearestCentroid

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "linear": LINEAR,
    "linear by least squares": lambda: LINEAR(solver="lsqr", shrinkage="auto"),
    "linear by eigenvalues": lambda: LINEAR(solver="eigen", shrinkage=0.2),
    "quadratic": QUADRATIC,
    "quadratic regularized": lambda: QUADRATIC(reg_param=0.3),
    "quadratic by eigenvalues": lambda: QUADRATIC(solver="eigen", shrinkage=0.1),
    "centroids": CENTROIDS,
    "centroids of medians": lambda: CENTROIDS(metric="manhattan"),
    "centroids with priors": lambda: CENTROIDS(priors="empirical"),
    "centroids of medians with priors": lambda: CENTROIDS(metric="manhattan", priors="empirical"),
    "centroids shrunk": lambda: CENTROIDS(shrink_threshold=0.3),
}


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("classes", [2, 4])
def test_a_classifier_answers_as_its_estimator(kind: str, classes: int) -> None:
    X, y = classified(classes)
    X, y = X[:-7], y[:-7]  # so that the classes differ in number
    # decisions by centroids are differences of squares that are all but equal far away
    tolerance = 1e-6 if kind.startswith("centroids") else 1e-9
    assert_exact_at_every_scale(fit(CLASSIFIERS[kind], X, y), X, tolerance=tolerance)


def test_a_feature_that_is_the_same_within_its_class_is_not_scaled() -> None:
    X, y = classified(2)
    X[:, 1] = y == y[0]
    assert_exact(fit(lambda: CENTROIDS(priors="empirical"), X, y), X)


@pytest.mark.parametrize("solver", ["svd", "eigen"])
def test_rows_are_projected_as_by_the_estimator(solver: str) -> None:
    X, y = classified(4)
    estimator = fit(lambda: LINEAR(solver=solver, n_components=2), X, y)
    builder = Graph([None] * X.shape[1])
    projected = graph.transform(estimator, builder.rows)
    session = onnxruntime.InferenceSession(builder.build({"projected": projected}, features=X.shape[1]))
    for rows in (X, X * 1e6):
        assert_close(session.run(None, {graph.INPUT: rows})[0], np.asarray(estimator.transform(rows)), 1e-9)


def test_least_squares_has_no_projection() -> None:
    X, y = classified(3)
    with pytest.raises(UnsupportedError, match="lsqr"):
        graph.transform(fit(lambda: LINEAR(solver="lsqr"), X, y), Graph([None] * X.shape[1]).rows)
