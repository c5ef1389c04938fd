"""The graph of a forest that tells only which leaf of each tree a row falls into."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.graph import Tensor, transformer
from service.compile.tree_ensemble import sum_leaves
from service.compile.trees import single_precision, structure


@transformer("sklearn.RandomTreesEmbedding")
def random_trees_embedding(estimator: Any, rows: Tensor) -> Tensor:
    trees = [structure(inner.tree_) for inner in estimator.estimators_]
    named = [
        tree._replace(value=np.arange(len(tree.left), dtype=np.float64), target=np.full(len(tree.left), place))
        for place, tree in enumerate(trees)
    ]
    return graph.transform(estimator.one_hot_encoder_, sum_leaves(single_precision(rows), named, len(named)))
