"""Graphs of what holds other estimators and adds nothing of its own: pipelines, column transformers, searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.compile import graph
from service.compile.graph import Prediction, Tensor, numbers, predictor, transformer

_SEARCHES = [
    "sklearn.GridSearchCV",
    "sklearn.HalvingGridSearchCV",
    "sklearn.HalvingRandomSearchCV",
    "sklearn.RandomizedSearchCV",
]


@predictor("sklearn.Pipeline")
def pipeline(estimator: Any, rows: Tensor) -> Prediction:
    return graph.predict(estimator.steps[-1][1], _through(estimator.steps[:-1], rows))


@transformer("sklearn.Pipeline")
def transforming_pipeline(estimator: Any, rows: Tensor) -> Tensor:
    return _through(estimator.steps, rows)


def _through(steps: Sequence[tuple[str, Any]], rows: Tensor) -> Tensor:
    for _, step in steps:
        rows = rows if step is None else _transform(step, rows)
    return rows


def _transform(step: Any, rows: Tensor) -> Tensor:
    return rows if isinstance(step, str) and step == "passthrough" else graph.transform(step, rows)


@transformer("sklearn.ColumnTransformer")
def column_transformer(estimator: Any, rows: Tensor) -> Tensor:
    """By the indices that fitting resolved, however the columns were named."""
    weights = estimator.transformer_weights or {}
    parts = []
    for name, step, _ in estimator.transformers_:
        indices = estimator._transformer_to_input_indices[name]
        if _is_dropped(step) or not len(indices):
            continue
        part = _weighted(_transform(step, rows.columns(indices)), weights.get(name))
        block = estimator.output_indices_[name]
        parts.append(_told(part, block.stop - block.start))
    return _joined(rows, parts, sparse=estimator.sparse_output_ if parts else False)


@transformer("sklearn.FeatureUnion")
def feature_union(estimator: Any, rows: Tensor) -> Tensor:
    weights = estimator.transformer_weights or {}
    kept = [(name, step) for name, step in estimator.transformer_list if not _is_dropped(step)]
    parts = [_weighted(_transform(step, rows), weights.get(name)) for name, step in kept]
    return _joined(rows, parts, sparse=any(part.sparse for part in parts))


def _is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


def _weighted(part: Tensor, weight: float | None) -> Tensor:
    if weight is None:
        return part
    product = numbers(part) * float(weight)
    product.sparse = part.sparse
    return product


def _told(part: Tensor, width: int) -> Tensor:
    """The part, telling that its columns are numbers where it does not tell of them."""
    return Tensor(part.graph, part.name, part.vocabularies or (None,) * width)


def _joined(rows: Tensor, parts: Sequence[Tensor], *, sparse: bool) -> Tensor:
    joined = rows.graph.concat(parts) if parts else rows.columns([])
    result = Tensor(rows.graph, joined.name, joined.vocabularies)
    result.sparse = sparse
    return result


@predictor(*_SEARCHES)
def search(estimator: Any, rows: Tensor) -> Prediction:
    return graph.predict(estimator.best_estimator_, rows)


@transformer(*_SEARCHES)
def transforming_search(estimator: Any, rows: Tensor) -> Tensor:
    return graph.transform(estimator.best_estimator_, rows)


@predictor("sklearn.FrozenEstimator")
def frozen_estimator(estimator: Any, rows: Tensor) -> Prediction:
    return graph.predict(estimator.estimator, rows)


@transformer("sklearn.FrozenEstimator")
def frozen_transformer(estimator: Any, rows: Tensor) -> Tensor:
    return graph.transform(estimator.estimator, rows)
