from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import neighbors

from service.compile.arrays import float64
from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, load_graph, run_graph
from tests.service.compile.samples import Block, classified, fit, measured, rows

WEIGHTS = ["uniform", "distance"]
ALONE = pytest.mark.filterwarnings("ignore:One or more samples have no neighbors")


def on_a_grid(X: Block) -> Block:
    """Where rows lie equally far from many others."""
    return float64(np.round(X / X.std(axis=0)))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("k", [1, 4, 7])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_classifier_answers_as_its_estimator_where_rows_tie_or_not(weights: str, k: int, classes: int) -> None:
    X, y = classified(classes)
    estimator = fit(lambda: neighbors.KNeighborsClassifier(k, weights=weights), X, y)
    assert_exact_at_every_scale(estimator, X)
    assert_exact(estimator, X[::2] / 2 + X[1::2] / 2)
    X = on_a_grid(X)
    assert_exact_at_every_scale(fit(lambda: neighbors.KNeighborsClassifier(k, weights=weights), X, y), X)


@pytest.mark.parametrize("metric", [{"p": 1}, {"p": 3}, {"metric": "chebyshev"}], ids=str)
def test_a_metric_is_the_estimators(metric: dict[str, Any]) -> None:
    X, y = classified(3)
    X = on_a_grid(X)
    assert_exact_at_every_scale(fit(lambda: neighbors.KNeighborsClassifier(6, **metric), X, y), X)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_regressor_answers_as_its_estimator(weights: str, outputs: int) -> None:
    X, y = measured(outputs)
    for points in (X, on_a_grid(X)):
        estimator = fit(lambda: neighbors.KNeighborsRegressor(9, weights=weights), points, y)
        assert_exact_at_every_scale(estimator, points)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("kind", [neighbors.KNeighborsClassifier, lambda **options: radius(**options)])
def test_a_classifier_of_several_outputs_answers_as_its_estimator(weights: str, kind: Any) -> None:
    X, y = classified(3)
    both = np.stack([y, classified(2)[1]], axis=1)
    assert_exact_at_every_scale(fit(lambda: kind(weights=weights), X, both), X)


def radius(size: float = 2.0, **options: Any) -> neighbors.RadiusNeighborsClassifier:
    return neighbors.RadiusNeighborsClassifier(size, outlier_label="most_frequent", **options)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("size", [0.1, 2.0])
@pytest.mark.parametrize("classes", [2, 4])
def test_classes_within_a_radius_are_the_estimators(weights: str, size: float, classes: int) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(lambda: radius(size, weights=weights), X, y), X)
    X = on_a_grid(X)
    assert_exact_at_every_scale(fit(lambda: radius(size, weights=weights), X, y), X)


@ALONE
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_averages_within_a_radius_are_the_estimators(weights: str, outputs: int) -> None:
    X, y = measured(outputs)
    estimator = fit(lambda: neighbors.RadiusNeighborsRegressor(2.5, weights=weights), X, y)
    assert_exact_at_every_scale(estimator, X)


@ALONE
def test_a_row_without_neighbours_has_no_average() -> None:
    X, y = measured()
    estimator = fit(lambda: neighbors.RadiusNeighborsRegressor(0.5), X, y)
    assert_exact(estimator, X + 100)
    assert np.isnan(run_graph(estimator, X + 100)["predictions"]).all()


def test_an_outlier_detector_answers_as_its_estimator() -> None:
    for points in (rows(), on_a_grid(rows())):
        estimator = fit(lambda: neighbors.LocalOutlierFactor(novelty=True), points)
        assert_exact_at_every_scale(estimator, points)
    assert set(run_graph(estimator, np.concatenate([points, points * 9]))["predictions"]) == {-1, 1}


REFUSED: dict[str, tuple[Any, str]] = {
    "brute force": (lambda: neighbors.KNeighborsClassifier(algorithm="brute"), "brute"),
    "many weights": (lambda: neighbors.KNeighborsClassifier(8, weights="distance"), "order"),
    "own weights": (lambda: neighbors.KNeighborsClassifier(weights=lambda distances: distances), "own"),
    "no label for outliers": (neighbors.RadiusNeighborsClassifier, "refused"),
    "a strange label for outliers": (lambda: neighbors.RadiusNeighborsClassifier(outlier_label="oak"), "not a class"),
    "no novelty": (neighbors.LocalOutlierFactor, "novelty"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_exact_is_refused(kind: str) -> None:
    build, reason = REFUSED[kind]
    X, y = classified(2)
    with pytest.raises(UnsupportedError, match=reason):
        load_graph(fit(build, X, y), X.shape[1])


def test_integer_targets_within_a_radius_are_refused() -> None:
    X, y = measured()
    with pytest.raises(UnsupportedError, match="integer"):
        load_graph(fit(neighbors.RadiusNeighborsRegressor, X, y.astype(np.int64)), X.shape[1])
