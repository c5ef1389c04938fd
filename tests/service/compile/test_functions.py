from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from service.compile.functions import COMPOSED, OPERATORS
from service.compile.graph import UnsupportedError
from tests.service.compile.frames import assert_same_numbers, run_transform

RANDOM = np.random.default_rng(0)
SPREAD = np.concatenate([RANDOM.normal(size=(200, 2)) * 10.0**e for e in (-12, -3, 0, 1)])
X = np.concatenate([SPREAD, [[0.0, 0.5], [1.0, -1.5], [2.5, np.nan]]])


@pytest.mark.parametrize("function", [None, *OPERATORS, *COMPOSED], ids=str)
def test_numpys_functions_are_computed_in_float64(function: Any) -> None:
    with np.errstate(all="ignore"):
        transformer = FunctionTransformer(function)
        assert_same_numbers(run_transform(transformer, X)[0], transformer.transform(X), 1e-14)


@pytest.mark.parametrize("function", [lambda rows: rows * 2, np.cbrt, np.arctan])
def test_other_functions_are_refused(function: Any) -> None:
    with pytest.raises(UnsupportedError):
        run_transform(FunctionTransformer(function), X)


def test_a_function_with_arguments_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="user's own"):
        run_transform(FunctionTransformer(np.log1p, kw_args={"dtype": np.float32}), X)


def test_strings_pass_a_transformer_without_a_function() -> None:
    answer, words = run_transform(FunctionTransformer(), np.array([[1.0]]), [("a", "b")])
    assert answer.tolist() == [[1.0]]
    assert words == (("a", "b"),)
