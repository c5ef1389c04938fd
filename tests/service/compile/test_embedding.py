from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets
from sklearn.ensemble import RandomTreesEmbedding
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.service.compile.exactness import assert_exact
from tests.service.compile.frames import assert_transforms

X, Y = datasets.load_iris(return_X_y=True)


@pytest.mark.parametrize("sparse_output", [False, True])
def test_each_leaf_is_a_column(sparse_output: bool) -> None:
    embedding = RandomTreesEmbedding(4, random_state=0, sparse_output=sparse_output).fit(X)
    splits = [tree.tree_.threshold for tree in embedding.estimators_]
    edges = np.concatenate(splits)[:, None].repeat(4, 1)
    assert_transforms(embedding, np.concatenate([X, edges, np.nextafter(edges, np.inf)]))


def test_leaves_are_features() -> None:
    embedding = RandomTreesEmbedding(5, max_depth=3, random_state=0)
    assert_exact(make_pipeline(embedding, LogisticRegression()).fit(X, Y), X, tolerance=1e-12)
