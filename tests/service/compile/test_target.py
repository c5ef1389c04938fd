from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, preprocessing
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, run_graph
from tests.service.compile.frames import run_transform  # noqa: F401 - importing it registers the converters

X, Y = datasets.load_diabetes(return_X_y=True)
LOGARITHM = preprocessing.FunctionTransformer(np.log1p, np.expm1)
TRANSFORMERS = [
    preprocessing.StandardScaler(),
    preprocessing.StandardScaler(with_mean=False),
    preprocessing.StandardScaler(with_std=False),
    preprocessing.RobustScaler(),
    preprocessing.RobustScaler(with_centering=False, with_scaling=False),
    preprocessing.MinMaxScaler(),
    preprocessing.MaxAbsScaler(),
    preprocessing.QuantileTransformer(n_quantiles=50),
    preprocessing.PowerTransformer(),
    preprocessing.PowerTransformer("box-cox", standardize=False),
    make_pipeline(LOGARITHM, "passthrough", preprocessing.StandardScaler()),
]


@pytest.mark.parametrize("transformer", TRANSFORMERS)
@pytest.mark.parametrize("regressor", [Ridge(), DecisionTreeRegressor(max_depth=3)])
def test_an_answer_is_transformed_back(transformer: Any, regressor: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = TransformedTargetRegressor(regressor, transformer=transformer).fit(X, Y)
        assert_exact(fitted, X, tolerance=1e-12)
        assert_exact(fitted.fit(X, np.column_stack([Y, Y**2])), X, tolerance=1e-12)


@pytest.mark.parametrize(("function", "inverse"), [(np.log, np.exp), (np.sqrt, np.square), (None, None)])
def test_functions_of_numpy_are_their_own_inverse(function: Any, inverse: Any) -> None:
    assert_exact(TransformedTargetRegressor(Ridge(), func=function, inverse_func=inverse).fit(X, Y), X, tolerance=1e-12)
    assert_exact(TransformedTargetRegressor(Ridge()).fit(X, Y[:, None]), X, tolerance=1e-12)


@pytest.mark.parametrize("power", [0.0, 2.0, 1.0, 0.5, 3.0])
def test_the_branches_of_the_inverse_power_are_scikit_learns(power: float) -> None:
    transformer = preprocessing.PowerTransformer(standardize=False)
    fitted = TransformedTargetRegressor(Ridge(alpha=0.01), transformer=transformer).fit(X, (Y - Y.mean()) / 100)
    fitted.transformer_.lambdas_[:] = power
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_exact(fitted, X, tolerance=1e-12)


def test_a_logarithm_is_the_inverse_at_a_box_cox_of_zero() -> None:
    transformer = preprocessing.PowerTransformer("box-cox", standardize=False)
    fitted = TransformedTargetRegressor(Ridge(), transformer=transformer).fit(X, Y)
    fitted.transformer_.lambdas_[:] = 0.0
    assert_exact(fitted, X, tolerance=1e-12)


@pytest.mark.parametrize(
    ("transformer", "reason"),
    [
        (preprocessing.QuantileTransformer(n_quantiles=9, output_distribution="normal"), "normal quantiles"),
        (preprocessing.KBinsDiscretizer(encode="ordinal", quantile_method="averaged_inverted_cdf"), "KBinsDiscretizer"),
    ],
)
def test_an_inverse_that_is_not_known_is_refused(transformer: Any, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = TransformedTargetRegressor(Ridge(), transformer=transformer).fit(X, Y)
    with pytest.raises(UnsupportedError, match=reason):
        run_graph(fitted, X)
