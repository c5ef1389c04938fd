from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
import scipy.special
from numpy.typing import NDArray

from service.compile import scalar
from service.compile.graph import Graph, Tensor
from tests.service.compile.test_lookup import run

Block = NDArray[np.float64]

VALUES = np.random.default_rng(0).normal(size=(1029, 3)) * 8

FUNCTIONS: list[tuple[Callable[[Tensor], Tensor], Callable[[Block], Block]]] = [
    (scalar.exp, np.exp),
    (lambda x: scalar.log(x * x), lambda x: np.log(x * x)),
    (scalar.expit, scipy.special.expit),
    (scalar.softmax, lambda x: scipy.special.softmax(x, axis=1)),
    (scalar.tanh, np.tanh),
]


@pytest.mark.parametrize(("ours", "theirs"), FUNCTIONS)
def test_a_function_is_that_of_numpy_to_the_last_digits(
    ours: Callable[[Tensor], Tensor], theirs: Callable[[Block], Block]
) -> None:
    np.testing.assert_allclose(run(ours, VALUES), theirs(VALUES), rtol=5e-15, atol=1e-15)


@pytest.mark.parametrize("ours", [ours for ours, _ in FUNCTIONS] + [scalar.total])
def test_a_number_does_not_depend_on_its_batch(ours: Callable[[Tensor], Tensor]) -> None:
    graph = Graph([None] * VALUES.shape[1])
    session = onnxruntime.InferenceSession(graph.build({"found": ours(graph.rows)}, features=VALUES.shape[1]))
    (together,) = session.run(None, {"rows": VALUES})
    for size in (1, 7, 64):
        parts = [session.run(None, {"rows": VALUES[i : i + size]})[0] for i in range(0, len(VALUES), size)]
        np.testing.assert_array_equal(np.concatenate(parts), together)


def test_extremes_do_not_become_nan() -> None:
    values = np.array([[-1e30, -800.0, 0.0, 800.0, 1e30]])
    np.testing.assert_array_equal(run(scalar.expit, values), [[0.0, 0.0, 0.5, 1.0, 1.0]])
    np.testing.assert_array_equal(run(scalar.tanh, values), [[-1.0, -1.0, 0.0, 1.0, 1.0]])
    np.testing.assert_array_equal(run(scalar.softmax, values), [[0.0, 0.0, 0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(run(scalar.exp, np.array([[-np.inf, 1e30]])), [[0.0, np.inf]])


def test_a_total_adds_from_the_first_to_the_last() -> None:
    np.testing.assert_array_equal(run(scalar.total, VALUES), np.cumsum(VALUES, axis=1)[:, -1:])


def test_two_columns_are_the_probabilities_of_both_classes() -> None:
    columns = run(lambda x: scalar.two_columns(x.reshape(-1)), np.array([[0.1], [0.75]]))
    np.testing.assert_array_equal(columns, [[0.9, 0.1], [0.25, 0.75]])
