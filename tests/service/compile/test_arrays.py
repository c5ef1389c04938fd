from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from service.compile.arrays import float64


@pytest.mark.parametrize(
    "values",
    [np.array([[0.5, 2.0]], np.float32), [[0.5, 2]], sparse.csr_matrix([[0.5, 2.0]])],
    ids=["float32", "list", "sparse"],
)
def test_whatever_an_estimator_holds_becomes_a_dense_float64_array(values: Any) -> None:
    found = float64(values)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[0.5, 2.0]])
