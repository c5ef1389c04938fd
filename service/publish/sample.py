"""Sample rows as a trainer has them: an array, a frame or texts, split into the features of a signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.bundle import Feature, FeatureDtype, Rows
from service.errors import PublishError

Container = Literal["array", "frame", "texts"]
_TEXT_FEATURE = "text"
_CATEGORIES_LIMIT = 10_000


class Sample(NamedTuple):
    """Sample rows: what the estimator itself is given, and the same decoded by feature."""

    container: Container
    features: tuple[Feature, ...]
    rows: Rows
    given: Any


def read_sample(estimator: Any, rows: Any) -> Sample:
    """Rows of any supported form. Raises PublishError naming the column or the form that cannot be served."""
    table = _as_table(rows)
    if isinstance(table, list):
        return _texts(table)
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise PublishError(f"the sample rows are empty: their shape is {table.shape}")
    if isinstance(table, pd.DataFrame):
        frame = _known_columns(estimator, table)
        if _takes_texts(estimator, frame):
            return _texts(frame.iloc[:, 0].tolist())
        if _takes_array(estimator, frame):
            return _columns("array", frame, frame.to_numpy())
        return _columns("frame", frame, frame)
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and len(names) == table.shape[1]:
        frame = pd.DataFrame(table, columns=names)
        return _columns("frame", frame, frame)
    return _columns("array", pd.DataFrame(table, columns=[f"x{i}" for i in range(table.shape[1])]), table)


def _as_table(rows: Any) -> pd.DataFrame | NDArray[Any] | list[str | None]:
    if hasattr(rows, "toarray"):
        rows = rows.toarray()
    if isinstance(rows, Sequence) and not isinstance(rows, str):
        rows = _from_sequence(rows)
    if isinstance(rows, pd.Series):
        rows = rows.to_numpy()
    if isinstance(rows, pd.DataFrame):
        return rows.reset_index(drop=True)
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        return rows
    if isinstance(rows, np.ndarray) and rows.ndim == 1 and all(isinstance(value, str) for value in rows):
        return [str(value) for value in rows]
    form = f"an array of {rows.ndim} dimensions" if isinstance(rows, np.ndarray) else type(rows).__name__
    raise PublishError(f"sample rows are a 2-D array, a data frame or a list of texts, not {form}")


def _from_sequence(rows: Sequence[Any]) -> Any:
    if rows and all(isinstance(row, dict) for row in rows):
        return pd.DataFrame(list(rows))
    if rows and all(isinstance(row, str) for row in rows):
        return np.array(rows, object)
    mixed = any(isinstance(cell, str | None) for row in rows if isinstance(row, Sequence) for cell in row)
    try:
        return np.array(rows, object if mixed else None)
    except ValueError as error:
        raise PublishError(f"the sample rows are not a table: {error}") from error


def _known_columns(estimator: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that the estimator was fitted on, in its order: rows from a file may carry the target, too."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return frame.rename(columns=str) if not all(isinstance(name, str) for name in frame.columns) else frame
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise PublishError(f"the sample rows lack the column {missing[0]!r}, on which the estimator was fitted")
    return frame[list(names)]


def _takes_array(estimator: Any, frame: pd.DataFrame) -> bool:
    """Whether the estimator was fitted on a plain array of as many columns."""
    fitted_on = getattr(estimator, "n_features_in_", None)
    return not hasattr(estimator, "feature_names_in_") and fitted_on == frame.shape[1]


def _takes_texts(estimator: Any, frame: pd.DataFrame) -> bool:
    """Whether the frame is one column of texts from a file, and the estimator was fitted on no table."""
    fitted_on_table = hasattr(estimator, "feature_names_in_") or hasattr(estimator, "n_features_in_")
    return not fitted_on_table and frame.shape[1] == 1 and all(isinstance(cell, str) for cell in frame.iloc[:, 0])


def _texts(texts: list[str | None]) -> Sample:
    if not texts:
        raise PublishError("the sample rows are empty")
    cells = np.array(texts, object)
    feature = Feature(name=_TEXT_FEATURE, dtype="string", nullable=False)
    return Sample("texts", (feature,), Rows(np.empty((len(texts), 0)), cells[:, None]), cells)


def _columns(container: Container, frame: pd.DataFrame, given: Any) -> Sample:
    features: list[Feature] = []
    numbers: list[NDArray[np.float64]] = []
    strings: list[NDArray[np.object_]] = []
    for position, name in enumerate(frame.columns):
        feature, values = _column(str(name), frame.iloc[:, position])
        features.append(feature)
        (strings if feature.is_string else numbers).append(values)
    rows = Rows(
        np.column_stack(numbers) if numbers else np.empty((len(frame), 0)),
        np.column_stack(strings) if strings else np.empty((len(frame), 0), object),
    )
    return Sample(container, tuple(features), rows, given)


def _column(name: str, column: pd.Series) -> tuple[Feature, NDArray[Any]]:
    missing = column.isna().to_numpy()
    categories = None
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = tuple(column.cat.categories.tolist())
        kind = _kind(name, column.cat.categories.to_series())
    else:
        kind = _kind(name, column[~missing])
    values: NDArray[Any]
    if kind == "string":
        values = np.array([None if gone else str(v) for v, gone in zip(column, missing, strict=True)], object)
        seen = {value for value in values.tolist() if value is not None}
        if categories is None and len(seen) <= _CATEGORIES_LIMIT:
            categories = tuple(sorted(seen))
    else:
        values = np.array([np.nan if gone else float(v) for v, gone in zip(column, missing, strict=True)], np.float64)
    known = values[~missing] if kind in ("float64", "float32", "int64") else np.empty(0)
    finite = known[np.isfinite(known.astype(np.float64))]
    feature = Feature(
        name=name,
        dtype=kind,
        nullable=bool(missing.any()),
        missing=_missing_marker(column[missing]),
        categories=categories,
        seen_min=float(finite.min()) if finite.size else None,
        seen_max=float(finite.max()) if finite.size else None,
        frame_dtype=_frame_dtype(column),
    )
    return feature, values


def _kind(name: str, known: pd.Series) -> FeatureDtype:
    dtype = known.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "bool"
    if pd.api.types.is_integer_dtype(dtype):
        return "int64"
    if pd.api.types.is_float_dtype(dtype):
        return "float32" if str(dtype).lower() == "float32" else "float64"
    cells = known.tolist()
    if all(isinstance(cell, str) for cell in cells):
        return "string"
    if all(isinstance(cell, bool | np.bool_) for cell in cells):
        return "bool"
    if all(isinstance(cell, int | float | np.number) and not isinstance(cell, bool) for cell in cells):
        return "float64"
    kinds = sorted({type(cell).__name__ for cell in cells})
    raise PublishError(f"column {name!r} holds {', '.join(kinds)}: a column is numbers, booleans or strings")


def _missing_marker(gone: pd.Series) -> Literal["nan", "none", "na"]:
    cells = gone.tolist()
    if cells and all(cell is None for cell in cells):
        return "none"
    return "na" if cells and all(cell is pd.NA for cell in cells) else "nan"


def _frame_dtype(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    return str(column.dtype)
