"""Graphs of feature selectors: the columns that are kept, codes and all."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.graph import Prediction, Tensor, predictor, transformer


@transformer(
    "sklearn.GenericUnivariateSelect",
    "sklearn.RFE",
    "sklearn.RFECV",
    "sklearn.SelectFdr",
    "sklearn.SelectFpr",
    "sklearn.SelectFromModel",
    "sklearn.SelectFwe",
    "sklearn.SelectKBest",
    "sklearn.SelectPercentile",
    "sklearn.SequentialFeatureSelector",
    "sklearn.VarianceThreshold",
)
def selector(estimator: Any, rows: Tensor) -> Tensor:
    return rows.columns(np.flatnonzero(estimator.get_support()))


@predictor("sklearn.RFE", "sklearn.RFECV")
def eliminating_estimator(estimator: Any, rows: Tensor) -> Prediction:
    return graph.predict(estimator.estimator_, selector(estimator, rows))
