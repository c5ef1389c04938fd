"""Small data to fit estimators on, and fitting them quietly: small data makes many of them warn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float64]

ROWS = 90
FEATURES = 5
NAMES = np.array(["ash", "birch", "cedar", "date"])


def fit(build: Callable[[], Any], *arguments: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build().fit(*arguments)


def rows(count: int = ROWS) -> Block:
    """Columns of different scales and centers, with some structure between them."""
    random = np.random.default_rng(7)
    mixed = random.normal(size=(count, FEATURES)) @ random.normal(size=(FEATURES, FEATURES))
    return mixed * [1.0, 0.1, 3.0, 1.0, 2.0] + [0.0, 0.3, -2.0, 5.0, 1.0]


def classified(classes: int) -> tuple[Block, NDArray[np.str_]]:
    """Rows with string classes that overlap."""
    X = rows()
    noise = np.random.default_rng(8).normal(size=len(X)) * 0.5
    score = (X[:, 0] + X[:, 2] / 3 + noise).argsort().argsort()
    return X, NAMES[score * classes // len(X)]


def labelled() -> tuple[Block, NDArray[np.int64]]:
    """Rows with three labels that are each there or not."""
    X = rows()
    return X, (X[:, :3] > np.median(X[:, :3], axis=0)).astype(np.int64)


def measured(outputs: int = 1) -> tuple[Block, Block]:
    """Rows with one positive number each, (n,), or with several numbers, (n, outputs)."""
    X = rows()
    y = np.abs(X @ np.arange(1.0, FEATURES + 1)[:, None] + np.random.default_rng(9).normal(size=(len(X), outputs)))
    y = y * np.arange(1.0, outputs + 1) + X[:, :1] ** 2 + 0.1
    return X, y[:, 0] if outputs == 1 else y
