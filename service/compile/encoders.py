"""Graphs of encoders of categories. A sparse result is dense in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile.graph import Tensor, UnsupportedError, numbers, transformer
from service.compile.lookup import count_edges, look_up

Floats = NDArray[np.float64]

NOWHERE = -1.0  # the position of a category that has no column of its own


@transformer("sklearn.OneHotEncoder")
def one_hot_encoder(estimator: Any, rows: Tensor) -> Tensor:
    groups = [_grouped(estimator, column) for column in range(len(estimator.categories_))]
    drops = estimator._drop_idx_after_grouping
    for column, positions in enumerate(groups):
        if drops is not None and drops[column] is not None:
            groups[column] = _without(positions, float(drops[column]))
    known = [positions[:-1] for positions in groups]
    position = look_up(rows, estimator.categories_, known, [float(positions[-1]) for positions in groups])
    return one_hot(position, estimator._n_features_outs, sparse=estimator.sparse_output)


def one_hot(position: Tensor, widths: Any, *, sparse: bool) -> Tensor:
    """One column for each position below ``widths[j]`` of column j; ``position`` is float64 (n, columns)."""
    owners = np.repeat(np.arange(len(widths)), widths)
    places = np.concatenate([np.arange(width, dtype=np.float64) for width in widths])
    encoded = position.columns(owners).equals(places).cast(np.float64)
    encoded.sparse = sparse
    return encoded


def _grouped(estimator: Any, column: int) -> Floats:
    """Each category's position once infrequent ones share the last; at the end, that of an unknown value."""
    count = len(estimator.categories_[column])
    mapping = _infrequent(estimator, column)
    if mapping is None:
        return np.append(np.arange(count, dtype=np.float64), NOWHERE)
    shared = float(mapping[estimator._infrequent_indices[column][0]])
    joins = estimator.handle_unknown in ("infrequent_if_exist", "warn")
    return np.append(mapping.astype(np.float64), shared if joins else NOWHERE)


def _without(positions: Floats, dropped: float) -> Floats:
    return np.where(positions == dropped, NOWHERE, positions - (positions > dropped))


def _infrequent(estimator: Any, column: int) -> NDArray[np.int64] | None:
    if not estimator._infrequent_enabled:
        return None
    mapping: NDArray[np.int64] | None = estimator._default_to_infrequent_mappings[column]
    return mapping


@transformer("sklearn.OrdinalEncoder")
def ordinal_encoder(estimator: Any, rows: Tensor) -> Tensor:
    columns = range(len(estimator.categories_))
    unknown = np.nan if estimator.unknown_value is None else float(estimator.unknown_value)
    values = [_ordinals(estimator, column) for column in columns]
    return look_up(rows, estimator.categories_, values, [unknown for _ in columns])


def _ordinals(estimator: Any, column: int) -> Floats:
    """Each category's number; a NaN category stands last and has a number apart."""
    values = np.arange(len(estimator.categories_[column]), dtype=np.float64)
    mapping = _infrequent(estimator, column)
    if mapping is not None:
        values[: len(mapping)] = mapping
    if column in estimator._missing_indices:
        values[-1] = estimator.encoded_missing_value
    return values


@transformer("sklearn.TargetEncoder")
def target_encoder(estimator: Any, rows: Tensor) -> Tensor:
    """A multiclass target gives one column for each feature and class, classes side by side."""
    means = np.atleast_1d(np.asarray(estimator.target_mean_, np.float64))
    owners = np.repeat(np.arange(len(estimator.categories_)), len(means))
    categories = [estimator.categories_[owner] for owner in owners]
    values = [np.asarray(encoding, np.float64) for encoding in estimator.encodings_]
    return look_up(rows.columns(owners), categories, values, np.tile(means, len(estimator.categories_)).tolist())


@transformer("sklearn.KBinsDiscretizer")
def k_bins_discretizer(estimator: Any, rows: Tensor) -> Tensor:
    if estimator.dtype not in (None, np.float64):
        raise UnsupportedError("numbers are rounded before they are binned")
    edges = [np.asarray(edge, np.float64)[1:-1] for edge in estimator.bin_edges_]
    bins = count_edges(numbers(rows), edges).cast(np.float64)
    if estimator.encode == "ordinal":
        return bins
    return one_hot(bins, [int(count) for count in estimator.n_bins_], sparse=estimator.encode == "onehot")
