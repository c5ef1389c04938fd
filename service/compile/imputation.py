"""Graphs of imputers. A string column is imputed in its codes; the value filled in joins its vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile import graph
from service.compile.graph import Tensor, UnsupportedError, Vocabulary, numbers, transformer
from service.compile.lookup import clip

Floats = NDArray[np.float64]


@transformer("sklearn.SimpleImputer")
def simple_imputer(estimator: Any, rows: Tensor) -> Tensor:
    statistics = np.asarray(estimator.statistics_, object)
    kept = [i for i, value in enumerate(statistics) if estimator.keep_empty_features or not _is_nan(value)]
    missing = missing_cells(estimator.missing_values, rows, len(statistics))
    vocabularies, fills = _fills(rows.columns(kept), statistics[kept])
    filled = rows.graph.where(missing.columns(kept), fills, rows.columns(kept))
    filled.vocabularies = vocabularies
    filled.sparse = rows.sparse
    return _with_indicator(estimator, filled, missing)


@transformer("sklearn.MissingIndicator")
def missing_indicator(estimator: Any, rows: Tensor) -> Tensor:
    flags = _flags(estimator, missing_cells(estimator.missing_values, rows, estimator.n_features_in_))
    flags.sparse = estimator.sparse is True or (estimator.sparse == "auto" and rows.sparse)
    return flags


def missing_cells(missing_values: Any, rows: Tensor, columns: int) -> Tensor:
    """Which cells hold what the imputer takes for missing; bool (n, columns).

    In a string column NaN stands for the kind of missing value that the estimator itself was given, be it NaN, None or
    pandas' NA.
    """
    if missing_values is None or _is_nan(missing_values) or str(missing_values) == "<NA>":
        return rows.graph.isnan(rows)
    vocabularies = rows.vocabularies or (None,) * columns
    return rows.equals(np.array([_code(missing_values, vocabulary) for vocabulary in vocabularies]))


def _code(value: Any, vocabulary: Vocabulary | None) -> float:
    if vocabulary is None:
        if isinstance(value, str):
            raise UnsupportedError("a string is missing in a column of numbers")
        return float(value)
    if value not in vocabulary:
        raise UnsupportedError("the imputer's missing value is not in its column's vocabulary")
    return float(vocabulary.index(value))


def _fills(rows: Tensor, statistics: NDArray[Any]) -> tuple[tuple[Vocabulary | None, ...], Floats]:
    """The vocabularies after imputation, and what a missing cell of each column becomes."""
    grown: list[Vocabulary | None] = []
    fills = []
    for value, vocabulary in zip(statistics, rows.vocabularies or (None,) * len(statistics), strict=True):
        if vocabulary is not None and value not in vocabulary:
            vocabulary = (*vocabulary, value)
        grown.append(vocabulary)
        fills.append(_code(value, vocabulary))
    return tuple(grown), np.array(fills, np.float64)


def _flags(indicator: Any, missing: Tensor) -> Tensor:
    flags = missing.columns(indicator.features_).cast(np.float64)
    flags.vocabularies = (None,) * len(indicator.features_)
    return flags


def _with_indicator(estimator: Any, filled: Tensor, missing: Tensor) -> Tensor:
    if not estimator.add_indicator:
        return filled
    joined = filled.graph.concat([filled, _flags(estimator.indicator_, missing)])
    joined.sparse = filled.sparse
    return joined


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


@transformer("sklearn.IterativeImputer")
def iterative_imputer(estimator: Any, rows: Tensor) -> Tensor:
    """Each round's regressors fill their column from the others, in the order in which they were fitted.

    Where every cell of a batch is missing, scikit-learn answers with the initial imputation alone.
    """
    if estimator.sample_posterior:
        raise UnsupportedError("imputed values are drawn at random")
    values = numbers(rows)
    cells = missing_cells(estimator.missing_values, values, estimator.n_features_in_)
    initial = numbers(graph.transform(estimator.initial_imputer_, values))
    empty = np.asarray(estimator._is_empty_feature, bool)
    if estimator.keep_empty_features:
        missing = values.graph.op("And", cells, ~empty)
    else:
        missing = cells.columns(np.flatnonzero(~empty))
    count = len(empty) if estimator.keep_empty_features else int((~empty).sum())
    filled = _iterate(estimator, initial, missing, count) if estimator.n_iter_ else initial
    filled.vocabularies = (None,) * count
    return _with_indicator(estimator, filled, cells)


def _iterate(estimator: Any, initial: Tensor, missing: Tensor, count: int) -> Tensor:
    columns = [initial.columns([column]) for column in range(count)]
    masks = [missing.columns([column]) for column in range(count)]
    for step in estimator.imputation_sequence_:
        column = step.feat_idx
        neighbours = initial.graph.concat([columns[neighbour] for neighbour in step.neighbor_feat_idx])
        predicted = graph.predict(step.estimator, neighbours).predictions.reshape(-1, 1)
        bounded = clip(predicted, float(estimator._min_value[column]), float(estimator._max_value[column]))
        columns[column] = initial.graph.where(masks[column], bounded, columns[column])
    all_missing = initial.graph.op("ReduceMin", missing.cast(np.float64), keepdims=0).equals(1.0)
    return initial.graph.where(all_missing, initial, initial.graph.concat(columns))
