from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from service.compile import elementary
from service.compile.graph import Tensor
from tests.service.compile.test_lookup import run

VALUES = np.random.default_rng(3).normal(size=(7, 3)) * np.array([1e-30, 1.0, 1e30])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (elementary.absolute, np.abs),
        (elementary.square, np.square),
        (lambda x: elementary.sqrt(elementary.absolute(x)), lambda x: np.sqrt(np.abs(x))),
        (lambda x: elementary.maximum(x, 0.5), lambda x: np.maximum(x, 0.5)),
        (lambda x: elementary.minimum(x, -0.5), lambda x: np.minimum(x, -0.5)),
        (lambda x: elementary.power(x, 2.0), np.square),
    ],
)
def test_a_function_is_numpys_to_the_last_bit_in_every_batch(ours: Callable[[Tensor], Tensor], theirs: Any) -> None:
    np.testing.assert_array_equal(run(ours, VALUES), theirs(VALUES))
    np.testing.assert_array_equal(np.concatenate([run(ours, row[None, :]) for row in VALUES]), theirs(VALUES))
