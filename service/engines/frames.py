"""Decoded rows in the form that the estimator was trained on: an array, a pandas frame, or a list of texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import Feature, Rows, Signature

_ARRAY_DTYPES: dict[str, Any] = {"float64": np.float64, "float32": np.float32, "int64": np.int64, "bool": np.bool_}


def assemble(signature: Signature, rows: Rows) -> Any:
    """The rows as the estimator takes them: an array (n, features), a pandas DataFrame, or an object array of texts."""
    if signature.container == "texts":
        return rows.strings[:, 0]
    if signature.container == "frame":
        import pandas as pd

        columns = _columns(signature, rows)
        return pd.DataFrame({f.name: _series(f, values) for f, values in columns}, copy=False)
    dtypes = {feature.dtype for feature in signature.features}
    objects = all((feature.dtype, feature.frame_dtype) == ("float64", "object") for feature in signature.features)
    if len(dtypes) == 1 and "string" not in dtypes and not objects:
        return _cast(rows.numbers, dtypes.pop())
    matrix = np.empty((len(rows.numbers), len(signature.features)), object)
    for i, (feature, values) in enumerate(_columns(signature, rows)):
        matrix[:, i] = _restore_missing(feature, values) if feature.is_string else values
    return matrix


def _columns(signature: Signature, rows: Rows) -> list[tuple[Feature, NDArray[Any]]]:
    numbers, strings = iter(rows.numbers.T), iter(rows.strings.T)
    return [(feature, next(strings) if feature.is_string else next(numbers)) for feature in signature.features]


def _cast(numbers: NDArray[np.float64], dtype: str) -> NDArray[Any]:
    # NaN has no place in integers and booleans: a missing value keeps the array in float64.
    if dtype in ("int64", "bool") and np.isnan(numbers).any():
        return numbers
    return numbers.astype(_ARRAY_DTYPES[dtype], copy=False)


def _restore_missing(feature: Feature, values: NDArray[Any]) -> NDArray[Any]:
    missing = np.array([value is None for value in values], bool)
    if feature.missing == "none" or not missing.any():
        return values
    filled = values.copy()
    filled[missing] = _marker(feature)
    return filled


def _marker(feature: Feature) -> Any:
    """What stands for a missing value in the estimator's own column."""
    if feature.missing == "na":
        import pandas as pd

        return pd.NA
    return None if feature.missing == "none" else np.nan


def _series(feature: Feature, values: NDArray[Any]) -> Any:
    import pandas as pd

    dtype = feature.frame_dtype or "float64"
    if dtype == "category":
        codes = {category: code for code, category in enumerate(feature.categories or ())}
        return pd.Categorical.from_codes([codes.get(value, -1) for value in values.tolist()], feature.categories)
    if feature.is_string:
        return pd.Series(_restore_missing(feature, values), dtype=dtype)
    missing = np.isnan(values)
    if dtype == "boolean" or dtype[0] in "IUF":  # pandas' own dtypes, which hold missing values
        kind = bool if feature.dtype == "bool" else float
        return pd.array([None if gone else kind(v) for v, gone in zip(values, missing, strict=True)], dtype)
    if feature.dtype == "bool":
        cells = values.astype(bool)
        return np.where(missing, _marker(feature), cells.astype(object)) if missing.any() else cells
    return values.astype(object) if dtype == "object" else _cast(values, feature.dtype)
