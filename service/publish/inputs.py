"""Files that a trainer hands in: an estimator of joblib or skops, rows of five formats.

These are the publisher's own files, which it trusts; the service never reads one.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from service.errors import PublishError, UsageError


def load_estimator(path: Path) -> Any:
    """The fitted estimator in a joblib, pickle or skops file. Raises UsageError if there is none."""
    _check_exists(path, "estimator")
    try:
        if zipfile.is_zipfile(path):
            import skops.io  # takes a second

            return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
        return joblib.load(path)
    except Exception as error:  # unpickling raises whatever the file's contents raise
        reason = str(error).strip().partition("\n")[0][:300]
        raise PublishError(
            f"{path} is not an estimator that can be loaded: {type(error).__name__}: {reason}"
        ) from error


def load_rows(path: Path) -> Any:
    """Sample rows from ``.npy``, ``.csv``, ``.parquet``, ``.jsonl`` or ``.joblib``. Raises UsageError for another."""
    _check_exists(path, "rows")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"rows are a file of {', '.join(sorted(_READERS))}, not {path.name!r}")
    try:
        return reader(path)
    except Exception as error:  # unpickling raises whatever the file's contents raise
        reason = str(error).strip().partition("\n")[0][:300]
        raise PublishError(f"{path} is not a table that can be read: {reason}") from error


def _check_exists(path: Path, what: str) -> None:
    if not path.is_file():
        raise UsageError(f"there is no file {path} to read the {what} from")


def _read_npy(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except ValueError:  # an array of objects: strings and numbers mixed
        return np.load(path, allow_pickle=True)


def _read_csv(path: Path) -> Any:
    """A table; texts where it is one column of strings. A first line of nothing but numbers is a row, not a header."""
    with path.open(newline="", encoding="utf-8-sig") as lines:
        first = next(csv.reader(lines), [])
    if first and all(map(_is_number, first)):
        return pd.read_csv(path, header=None).to_numpy()
    return pd.read_csv(path, encoding="utf-8-sig")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_jsonl(path: Path) -> Any:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _read_npy,
    ".csv": _read_csv,
    ".parquet": pd.read_parquet,
    ".jsonl": _read_jsonl,
    ".joblib": joblib.load,
}
