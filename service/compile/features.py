"""Graphs of transformers that make features from numbers: products and term weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile.graph import Tensor, UnsupportedError, numbers, transformer
from service.compile.scalar import log
from service.compile.scaling import normalize

Term = tuple[int, ...]


@transformer("sklearn.PolynomialFeatures")
def polynomial_features(estimator: Any, rows: Tensor) -> Tensor:
    """Each degree's products are those of the degree below, times one feature, in scikit-learn's order."""
    lowest, highest = estimator._min_degree, estimator._max_degree
    if rows.sparse and highest > 2:
        raise UnsupportedError("a sparse matrix is multiplied in another order")
    values = numbers(rows)
    parts = [_ones(values)] if estimator.include_bias else []
    terms: list[Term] = [(column,) for column in range(estimator.n_features_in_)]
    products = values
    for degree in range(1, highest + 1):
        if degree > 1:
            terms, products = _raise(terms, products, values, interactions=estimator.interaction_only)
        if degree >= lowest and terms:
            parts.append(products)
    return values.graph.concat([numbers(part) for part in parts])


def _ones(values: Tensor) -> Tensor:
    first = values.columns([0])
    return values.graph.where(values.graph.isnan(first), 1.0, values.graph.constant(1.0))


def _raise(terms: list[Term], products: Tensor, values: Tensor, *, interactions: bool) -> tuple[list[Term], Tensor]:
    """Every term times every feature that does not come after its first one (for interactions: that comes before)."""
    pairs = [
        (feature, position)
        for feature in range(terms[-1][-1] + 1 if terms else 0)
        for position, term in enumerate(terms)
        if term[0] > feature or (term[0] == feature and not interactions)
    ]
    features = [feature for feature, _ in pairs]
    positions = [position for _, position in pairs]
    raised = [(feature, *terms[position]) for feature, position in pairs]
    return raised, products.columns(positions) * values.columns(features)


@transformer("sklearn.TfidfTransformer")
def tfidf_transformer(estimator: Any, rows: Tensor) -> Tensor:
    """Term counts to weights; a zero stays zero, as in the sparse matrix that scikit-learn makes of the rows."""
    counts = numbers(rows)
    if estimator.sublinear_tf:
        logarithm = log(counts) + 1.0
        counts = counts.graph.where(counts.equals(0.0), 0.0, logarithm)
    if estimator.use_idf:
        counts = counts * np.asarray(estimator.idf_, np.float64)
    counts.sparse = True
    return counts if estimator.norm is None else normalize(counts, estimator.norm)
