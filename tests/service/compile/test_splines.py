from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import SplineTransformer

from tests.service.compile.frames import assert_transforms

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 3)) * [1, 100, 1e-4] + [0, 5000, 0]
BEYOND = np.concatenate([X, X.mean(0) + (X - X.mean(0)) * 3, X.min(0)[None], X.max(0)[None]])


@pytest.mark.parametrize("extrapolation", ["constant", "linear", "continue", "periodic"])
@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("knots", ["uniform", "quantile"])
def test_splines_are_bitwise_scipys_between_the_knots_and_beyond(extrapolation: Any, degree: int, knots: Any) -> None:
    fitted = SplineTransformer(6, degree, knots=knots, extrapolation=extrapolation).fit(X)
    asked = np.concatenate([BEYOND, *(spline.t[:, None].repeat(3, 1) for spline in fitted.bsplines_)])
    assert_transforms(fitted, asked)


def test_a_fitted_boundary_is_all_that_the_error_setting_takes() -> None:
    fitted = SplineTransformer(extrapolation="error").fit(X)
    assert_transforms(fitted, X)


@pytest.mark.parametrize("settings", [{"include_bias": False}, {"sparse_output": True}, {"handle_missing": "zeros"}])
def test_splines_keep_their_other_settings(settings: Any) -> None:
    fitted = SplineTransformer(**settings).fit(X)
    asked = BEYOND.copy()
    if "handle_missing" in settings:
        asked[::5, 1] = np.nan
    assert_transforms(fitted, asked)


def test_knots_that_coincide_leave_empty_intervals() -> None:
    tied = np.column_stack([RANDOM.integers(0, 3, 200) * 1.0, X[:, 0], np.full(200, 2.0)])
    fitted = SplineTransformer(7, knots="quantile").fit(tied)
    assert_transforms(fitted, np.concatenate([tied, tied + 0.5]))


def test_a_feature_of_one_value_has_no_period() -> None:
    rows = np.column_stack([X[:, 0], np.full(200, 3.0)])
    fitted = SplineTransformer(extrapolation="periodic").fit(rows)
    assert_transforms(fitted, rows)
