"""Where the trees of an estimator split: on those values an engine that is nearly right gives itself away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from service.compile import (
    boosters_lightgbm,
    boosters_xgboost,
    gradient_boosting,
    hist_gradient_boosting,
    isolation_forest,
    trees,
)
from service.compile.graph import UnsupportedError
from service.compile.tree_ensemble import Floats, Tree

NO_THRESHOLD = 1e300  # stands for infinity in HistGradientBoosting and in LightGBM


def split_points(estimator: Any) -> dict[int, Floats] | None:
    """The sorted unique thresholds by index of the input column; None where the estimator is not known to hold trees.

    Only columns that are split are there. Splits of categories, and those of missing values from all others, have no
    threshold and do not count.
    """
    read = _READERS.get(type(estimator).__name__)
    if read is None:
        return None
    try:
        return _by_column(read(estimator))
    except UnsupportedError:
        return None


def _by_column(forest: Sequence[Tree]) -> dict[int, Floats]:
    columns, points = [], []
    for tree in forest:
        counts = ~tree.is_leaf & (np.abs(tree.split) < NO_THRESHOLD)
        counts[list(tree.members)] = False
        columns.append(tree.feature[counts])
        points.append(tree.split[counts])
    column, point = np.concatenate(columns), np.concatenate(points)
    return {int(i): np.unique(point[column == i]) for i in np.unique(column)}


def _forest(estimator: Any) -> list[Tree]:
    return [trees.structure(tree.tree_) for tree in estimator.estimators_]


def _hist_gradient_boosting(estimator: Any) -> list[Tree]:
    columns = hist_gradient_boosting.encoded_columns(estimator)
    return [tree._replace(feature=columns[tree.feature]) for tree in hist_gradient_boosting.trees(estimator)]


_READERS: dict[str, Callable[[Any], Sequence[Tree]]] = {
    **dict.fromkeys(
        ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"),
        lambda estimator: [trees.structure(estimator.tree_)],
    ),
    **dict.fromkeys(
        ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"), _forest
    ),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), gradient_boosting.trees),
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), _hist_gradient_boosting),
    "IsolationForest": isolation_forest.trees,
    **dict.fromkeys(
        ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"),
        lambda estimator: boosters_xgboost.trees(boosters_xgboost.model(estimator)),
    ),
    **dict.fromkeys(
        ("LGBMClassifier", "LGBMRegressor"),
        lambda estimator: boosters_lightgbm.trees(boosters_lightgbm.dump(estimator)),
    ),
}
