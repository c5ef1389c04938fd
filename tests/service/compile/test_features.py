from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import PolynomialFeatures

from service.compile.graph import Graph, UnsupportedError, transform
from tests.service.compile.frames import assert_transforms

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 4)) * [1, 1e-3, 1e6, 7]


@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("degree", [1, 2, 3, 5, (0, 2), (2, 3), (3, 3)])
def test_products_are_bitwise_those_of_scikit_learn(degree: Any, interaction_only: bool, include_bias: bool) -> None:
    fitted = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=include_bias).fit(X)
    assert_transforms(fitted, X)


def test_a_bias_alone_is_a_column_of_ones() -> None:
    assert_transforms(PolynomialFeatures(0).fit(X), X)


def test_higher_products_of_a_sparse_matrix_are_refused() -> None:
    rows = Graph([None] * 4).rows
    rows.sparse = True
    with pytest.raises(UnsupportedError, match="another order"):
        transform(PolynomialFeatures(3).fit(X), rows)


@pytest.mark.parametrize("norm", [None, "l1", "l2"])
@pytest.mark.parametrize("use_idf", [False, True])
@pytest.mark.parametrize("sublinear_tf", [False, True])
def test_term_counts_are_weighted_and_empty_texts_stay_empty(norm: Any, use_idf: bool, sublinear_tf: bool) -> None:
    counts = RANDOM.poisson(0.4, (60, 8)).astype(np.float64)
    counts[3] = 0
    fitted = TfidfTransformer(norm=norm, use_idf=use_idf, sublinear_tf=sublinear_tf).fit(counts)
    assert_transforms(fitted, counts, tolerance=1e-15)
