from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from scipy import sparse
from sklearn import preprocessing
from sklearn.metrics import pairwise

from service.compile.graph import Graph, UnsupportedError, transform
from tests.service.compile.frames import assert_same_numbers, assert_transforms, run_transform

RANDOM = np.random.default_rng(0)
X = np.concatenate(
    [
        RANDOM.normal(size=(200, 6)) * [1e-9, 1, 3, 1e5, 1e12, 1] + [0, -5, 0, 0.1, 1.7e15, 0],
        RANDOM.normal(size=(20, 6)) * 1e200,
        np.zeros((1, 6)),
        np.full((1, 6), 1e-16),
    ]
)
X[:, 5] = 4.0
WITH_MISSING = np.where(RANDOM.random(X.shape) < 0.1, np.nan, X)


@pytest.mark.parametrize(
    "scaler",
    [
        preprocessing.StandardScaler(),
        preprocessing.StandardScaler(with_mean=False),
        preprocessing.StandardScaler(with_std=False),
        preprocessing.StandardScaler(with_mean=False, with_std=False),
        preprocessing.MinMaxScaler(),
        preprocessing.MinMaxScaler((-3, 7), clip=True),
        preprocessing.MaxAbsScaler(),
        preprocessing.MaxAbsScaler(clip=True),
        preprocessing.RobustScaler(),
        preprocessing.RobustScaler(with_centering=False, unit_variance=True),
        preprocessing.RobustScaler(with_scaling=False),
    ],
)
def test_a_scaled_number_is_bitwise_scikit_learns_and_missing_stays_missing(scaler: Any) -> None:
    scaler.fit(WITH_MISSING[:150])
    assert_transforms(scaler, WITH_MISSING)


@pytest.mark.parametrize(
    "scaler",
    [
        preprocessing.StandardScaler(with_mean=False),
        preprocessing.MaxAbsScaler(),
        preprocessing.RobustScaler(with_centering=False),
    ],
)
def test_a_sparse_matrix_is_scaled_by_the_inverse(scaler: Any) -> None:
    scaler.fit(sparse.csr_array(X[:150]))
    builder = Graph([None] * 6)
    builder.rows.sparse = True
    scaled = transform(scaler, builder.rows)
    assert scaled.sparse
    session = onnxruntime.InferenceSession(builder.build({"scaled": scaled}, features=6))
    assert_same_numbers(session.run(None, {"rows": X})[0], scaler.transform(sparse.csr_array(X)), 0.0)


@pytest.mark.parametrize("scaler", [preprocessing.StandardScaler(), preprocessing.MinMaxScaler()])
def test_a_scaler_fitted_in_single_precision_scales_in_double(scaler: Any) -> None:
    scaler.fit(X[:150, 1:4].astype(np.float32))
    assert_transforms(scaler, X[:, 1:4])


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_rows_are_normalized_and_tiny_ones_left_alone(norm: str) -> None:
    with np.errstate(over="ignore"):
        assert_transforms(preprocessing.Normalizer(norm).fit(X), X, tolerance=1e-15)


def test_numbers_above_the_threshold_become_one() -> None:
    rows = np.append(X, np.full((1, 6), 0.1), axis=0)
    assert_transforms(preprocessing.Binarizer(threshold=0.1).fit(X), rows)


def test_a_kernel_is_centred() -> None:
    kernel = pairwise.rbf_kernel(X[:40, 1:4], gamma=0.01)
    assert_transforms(preprocessing.KernelCenterer().fit(kernel), kernel[:7], tolerance=1e-14)


def test_a_string_column_is_refused() -> None:
    scaler = preprocessing.StandardScaler().fit(X[:9, :1])
    with pytest.raises(UnsupportedError, match="string column"):
        run_transform(scaler, np.zeros((1, 1)), [("a", "b")])
