from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, run_graph
from tests.service.compile.samples import fit, measured


@pytest.mark.parametrize("bounds", ["nan", "clip"])
@pytest.mark.parametrize("increasing", [True, False])
def test_values_between_thresholds_on_them_and_beyond_are_the_estimators(bounds: str, increasing: bool) -> None:
    X, y = measured()
    X = X[:, :1]
    estimator = fit(lambda: IsotonicRegression(increasing=increasing, out_of_bounds=bounds), X, y)
    assert_exact_at_every_scale(estimator, X)
    thresholds = estimator.X_thresholds_
    near = [np.nextafter(thresholds, np.inf), np.nextafter(thresholds, -np.inf), np.linspace(-20, 20, 301)]
    assert_exact(estimator, np.concatenate([thresholds, *near])[:, None])


def test_one_value_is_answered_everywhere() -> None:
    assert_exact_at_every_scale(fit(IsotonicRegression, np.ones((3, 1)), [1.0, 2.0, 4.0]), np.ones((2, 1)))


def test_an_estimator_that_refuses_rows_out_of_bounds_is_refused() -> None:
    X, y = measured()
    with pytest.raises(UnsupportedError, match="out of bounds"):
        run_graph(fit(lambda: IsotonicRegression(out_of_bounds="raise"), X[:, :1], y), X[:, :1])


def test_an_estimator_of_float32_is_refused() -> None:
    X, y = measured()
    with pytest.raises(UnsupportedError, match="float32"):
        run_graph(fit(IsotonicRegression, X[:, :1].astype(np.float32), y), X[:, :1])
