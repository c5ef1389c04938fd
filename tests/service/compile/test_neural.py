from __future__ import annotations

from typing import Any

import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from tests.service.compile.exactness import assert_exact_at_every_scale
from tests.service.compile.samples import classified, fit, labelled, measured

ACTIVATIONS = ["identity", "logistic", "relu", "tanh"]


def options(activation: str, *layers: int) -> dict[str, Any]:
    return {"activation": activation, "hidden_layer_sizes": layers, "max_iter": 30, "random_state": 0}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("classes", [2, 4])
def test_a_classifier_answers_as_its_estimator(activation: str, classes: int) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(lambda: MLPClassifier(**options(activation, 13, 7)), X, y), X)


def test_several_labels_of_a_row_are_told_one_by_one() -> None:
    X, y = labelled()
    assert_exact_at_every_scale(fit(lambda: MLPClassifier(**options("relu", 9)), X, y), X)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_regressor_answers_as_its_estimator(activation: str, outputs: int) -> None:
    X, y = measured(outputs)
    assert_exact_at_every_scale(fit(lambda: MLPRegressor(**options(activation, 11)), X, y), X)


def test_a_poisson_loss_makes_the_output_exponential() -> None:
    X, y = measured()
    assert_exact_at_every_scale(fit(lambda: MLPRegressor(loss="poisson", **options("tanh", 5)), X, y), X)


def test_there_may_be_no_hidden_layer() -> None:
    X, y = measured()
    assert_exact_at_every_scale(fit(lambda: MLPRegressor(**options("relu")), X, y), X)
