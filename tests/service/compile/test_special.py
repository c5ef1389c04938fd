from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

from service.compile import special
from service.compile.graph import Tensor
from tests.service.compile.test_lookup import run

RANDOM = np.random.default_rng(0)
TAILS = 10.0 ** -RANDOM.uniform(0, 12.5, 500)
SIGNED = np.concatenate([RANDOM.normal(size=500) * 10.0**e for e in range(-300, 3, 6)])


@pytest.mark.parametrize(
    ("ours", "theirs", "values"),
    [
        (special.log1p, np.log1p, np.append(np.abs(SIGNED) * 1e5, [-0.5, -1 + 1e-9, 0.0, 1e300])),
        (special.expm1, np.expm1, np.append(SIGNED, [0.0, 1.0, -1.0, -50.0, -700.0])),
        (
            special.erf,
            scipy.special.erf,
            np.append(SIGNED, [0.0, 1.0, -1.0, 6.0, -30.0, 1e300, *np.linspace(-7, 7, 999)]),
        ),
        (special.normal_quantile, scipy.special.ndtri, np.concatenate([RANDOM.random(2000), TAILS, 1 - TAILS])),
    ],
)
def test_a_function_is_numpys_or_scipys_to_the_last_digits(
    ours: Callable[[Tensor], Tensor], theirs: Any, values: NDArray[np.float64]
) -> None:
    np.testing.assert_allclose(run(ours, values[:, None])[:, 0], theirs(values), rtol=3e-14, atol=0)


def test_what_has_no_logarithm_is_not_a_number() -> None:
    np.testing.assert_array_equal(
        run(special.log1p, np.array([[-1.0], [-2.0], [np.nan]])), [[-np.inf], [np.nan], [np.nan]]
    )
