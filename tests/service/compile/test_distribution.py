from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer, QuantileTransformer

from service.compile.graph import Graph, UnsupportedError, transform
from tests.service.compile.frames import assert_transforms

RANDOM = np.random.default_rng(0)
POSITIVE = np.column_stack(
    [
        RANDOM.lognormal(0, 1, 300),
        RANDOM.lognormal(5, 2, 300),
        RANDOM.random(300) ** 3 + 1e-9,
        RANDOM.gamma(2, 1e5, 300),
    ]
)
SIGNED = np.column_stack(
    [RANDOM.normal(size=300), RANDOM.normal(size=300) ** 3 * 100, RANDOM.gumbel(size=300), POSITIVE[:, 1]]
)
TIED = np.column_stack(
    [RANDOM.normal(size=300), RANDOM.integers(0, 5, 300), RANDOM.random(300) > 0.8, np.full(300, 7.0)]
)


def with_missing(rows: Any) -> Any:
    return np.where(RANDOM.random(rows.shape) < 0.1, np.nan, rows)


@pytest.mark.parametrize("standardize", [True, False])
def test_box_cox_follows_scipy(standardize: bool) -> None:
    power = PowerTransformer("box-cox", standardize=standardize).fit(POSITIVE)
    assert_transforms(power, with_missing(np.concatenate([POSITIVE, POSITIVE * 1e-3, POSITIVE + 1e6])), tolerance=1e-12)


@pytest.mark.parametrize("standardize", [True, False])
def test_yeo_johnson_follows_scipy_on_both_sides_of_zero(standardize: bool) -> None:
    power = PowerTransformer(standardize=standardize).fit(SIGNED)
    asked = np.concatenate([SIGNED, -SIGNED, SIGNED * 1e-9, SIGNED * 1e3, np.zeros((1, 4))])
    assert_transforms(power, with_missing(asked), tolerance=1e-12)


@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
@pytest.mark.parametrize("power", [0.0, 2.0, 1.0, 1e-20, 1e-17, -0.7])
def test_the_branches_at_round_lambdas_are_scipys(method: Any, power: float) -> None:
    fitted = PowerTransformer(method, standardize=False).fit(POSITIVE)
    fitted.lambdas_[:] = power
    asked = POSITIVE if method == "box-cox" else SIGNED
    assert_transforms(fitted, asked, tolerance=1e-12)


def test_box_cox_of_a_number_whose_power_overflows_follows_scipy() -> None:
    fitted = PowerTransformer("box-cox", standardize=False).fit(POSITIVE)
    fitted.lambdas_[:] = [1.01, -2.0, 2.0, 1.0]
    assert_transforms(fitted, np.array([[1e305, 10**-154.2, 10**154.2, 1e300]]), tolerance=1e-12)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize("rows", [SIGNED, TIED])
@pytest.mark.parametrize("quantiles", [7, 300])
def test_quantiles_are_interpolated_both_ways_and_ties_averaged(distribution: Any, rows: Any, quantiles: int) -> None:
    fitted = QuantileTransformer(n_quantiles=quantiles, output_distribution=distribution).fit(rows)
    asked = np.concatenate([rows, fitted.quantiles_, rows * 1.01, rows * 1e6, rows + 1e-8])
    assert_transforms(fitted, with_missing(asked), tolerance=1e-13 if distribution == "normal" else 0.0)


def test_quantiles_of_a_sparse_matrix_are_refused() -> None:
    fitted = QuantileTransformer(n_quantiles=10).fit(TIED)
    rows = Graph([None] * 4).rows
    rows.sparse = True
    with pytest.raises(UnsupportedError, match="sparse"):
        transform(fitted, rows)
