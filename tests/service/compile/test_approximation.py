from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets, kernel_approximation

from service.compile.graph import UnsupportedError
from tests.service.compile.frames import assert_transforms, run_transform

X = datasets.load_wine().data
ROWS = X / X.max(0)
ROWS[::7, ::2] = 0.0


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid", "cosine", "laplacian", "chi2", "additive_chi2"])
@pytest.mark.parametrize("settings", [{}, {"gamma": 0.3}])
def test_a_kernel_is_approximated_from_some_of_its_rows(kernel: Any, settings: Any) -> None:
    settings = {} if kernel in ("linear", "cosine", "additive_chi2") else settings
    estimator = kernel_approximation.Nystroem(kernel, n_components=8, random_state=0, **settings).fit(ROWS)
    assert_transforms(estimator, ROWS, tolerance=1e-11)


def test_a_polynomial_has_its_own_degree_and_offset() -> None:
    estimator = kernel_approximation.Nystroem("poly", degree=2, coef0=0.5, n_components=9, random_state=0).fit(ROWS)
    assert_transforms(estimator, ROWS, tolerance=1e-11)


def test_parameters_in_a_dictionary_are_refused() -> None:
    estimator = kernel_approximation.Nystroem(n_components=9, kernel_params={"gamma": 1.0}).fit(ROWS)
    with pytest.raises(UnsupportedError, match="dictionary"):
        run_transform(estimator, ROWS)


@pytest.mark.parametrize(
    "estimator",
    [
        kernel_approximation.RBFSampler(n_components=30, random_state=0),
        kernel_approximation.SkewedChi2Sampler(n_components=30, random_state=0),
        kernel_approximation.AdditiveChi2Sampler(),
        kernel_approximation.AdditiveChi2Sampler(sample_steps=1),
        kernel_approximation.AdditiveChi2Sampler(sample_steps=3),
        kernel_approximation.AdditiveChi2Sampler(sample_steps=4, sample_interval=0.3),
    ],
    ids=str,
)
def test_random_features_are_those_that_were_drawn(estimator: Any) -> None:
    assert_transforms(estimator.fit(ROWS), np.concatenate([ROWS, ROWS * 1e3]), tolerance=1e-12)
