"""Graphs of LightGBM's tree boosters, which compare and add in float64.

Where a row goes is Tree::NumericalDecision and CategoricalDecision (include/LightGBM/tree.h), numbers within ``ZERO``
of 0 counting as 0 (src/c_api.cpp leaves them out of the row); what objectives make of the sums is in src/objective.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from service.compile import scalar
from service.compile.category_codes import Categories, codes_by_name, codes_by_number, replace_columns
from service.compile.graph import Prediction, Tensor, UnsupportedError, predictor
from service.compile.tree_ensemble import Floats, Tree, sum_leaves

ZERO = float(np.float32(1e-35))  # kZeroThreshold

IDENTITY = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
EXPONENTIAL = ("poisson", "gamma", "tweedie")

Node = dict[str, Any]


@predictor("lightgbm.LGBMRegressor")
def lightgbm_regressor(estimator: Any, rows: Tensor) -> Prediction:
    model = dump(estimator)
    return Prediction(_values(model, _raw(estimator, model, rows)).reshape(-1))


@predictor("lightgbm.LGBMClassifier")
def lightgbm_classifier(estimator: Any, rows: Tensor) -> Prediction:
    model = dump(estimator)
    raw = _raw(estimator, model, rows)
    values = _values(model, raw)
    if model["num_tree_per_iteration"] > 1:
        return Prediction(values.argmax(), values, raw)
    probabilities = scalar.two_columns(values)
    return Prediction(probabilities.argmax(), probabilities, raw.reshape(-1))


def dump(estimator: Any) -> dict[str, Any]:
    """The booster's own description of the iterations that predict uses. Raises UnsupportedError."""
    if callable(estimator.objective):
        raise UnsupportedError("an objective of the user's own")
    model: dict[str, Any] = estimator.booster_.dump_model()
    return model


def trees(model: dict[str, Any]) -> list[Tree]:
    """The trees, iteration after iteration. Raises UnsupportedError where leaves hold linear models."""
    each = model["num_tree_per_iteration"]
    return [_tree(tree["tree_structure"], i % each) for i, tree in enumerate(model["tree_info"])]


def _tree(root: Node, target: int) -> Tree:
    nodes = _nodes(root)
    inner = [i for i, node in enumerate(nodes) if "split_feature" in node]
    if any("leaf_coeff" in node for node in nodes):
        raise UnsupportedError("no exact graph for linear trees")
    tree = Tree(
        feature=np.zeros(len(nodes), np.int64),
        split=np.zeros(len(nodes)),
        left=np.full(len(nodes), -1),
        right=np.full(len(nodes), -1),
        missing_left=np.zeros(len(nodes), np.bool_),
        value=np.array([node.get("leaf_value", 0.0) for node in nodes], np.float64),
        target=np.full(len(nodes), target),
        members={i: _members(nodes[i]) for i in inner if _is_categorical(nodes[i])},
    )
    for place, i in enumerate(inner):
        tree.feature[i] = nodes[i]["split_feature"]
        tree.left[i], tree.right[i] = 2 * place + 1, 2 * place + 2  # as _nodes puts them
        if not _is_categorical(nodes[i]):
            tree.split[i], tree.missing_left[i] = _threshold(nodes[i])
    return tree


def _nodes(root: Node) -> list[Node]:
    """The root and, two by two, the children of each node that has them. Trees may be too deep to recurse into."""
    nodes = [root]
    for node in nodes:
        if "split_feature" in node:
            nodes += [node["left_child"], node["right_child"]]
    return nodes


def _is_categorical(node: Node) -> bool:
    return bool(node["decision_type"] == "==")


def _members(node: Node) -> Floats:
    """The codes that go left. A missing one goes right, whatever the training rows had."""
    return np.array(node["threshold"].split("||"), np.float64)


def _threshold(node: Node) -> tuple[float, bool]:
    """The split that sends all numbers within ZERO of 0 where 0 goes, and whether a missing value goes left."""
    split = float(node["threshold"])
    missing_left = split >= 0 if node["missing_type"] == "None" else bool(node["default_left"])
    if -ZERO <= split < 0:
        split = float(np.nextafter(-ZERO, -np.inf))
    return max(split, ZERO) if split >= 0 else split, missing_left


def _raw(estimator: Any, model: dict[str, Any], rows: Tensor) -> Tensor:
    """(n, trees an iteration): the sums of the leaves."""
    return sum_leaves(_encode(estimator, model, rows), trees(model), model["num_tree_per_iteration"])


def _encode(estimator: Any, model: dict[str, Any], rows: Tensor) -> Tensor:
    """The rows with categories as the booster's codes, and NaN for 0 in columns where that counts as missing."""
    splits = [node for tree in model["tree_info"] for node in _nodes(tree["tree_structure"]) if "split_feature" in node]
    by_name = _named(estimator.booster_.pandas_categorical or [], model, rows)
    by_number = _numbered(n for n in splits if _is_categorical(n) and n["split_feature"] not in by_name)
    others = [
        (list(categories), encode(rows, categories))
        for categories, encode in ((by_name, codes_by_name), (by_number, codes_by_number))
        if categories
    ]
    width = model["max_feature_idx"] + 1
    encoded = replace_columns(rows, width, others)
    limits = _zero_limits([node for node in splits if not _is_categorical(node)], width)
    if (limits < 0).all():
        return encoded
    return rows.graph.where(rows.graph.op("Abs", encoded).less_equal(limits), np.nan, encoded)


def _numbered(splits: Iterable[Node]) -> dict[int, list[float]]:
    """The codes that the splits of each column name."""
    known: dict[int, set[float]] = {}
    for node in splits:
        known.setdefault(node["split_feature"], set()).update(_members(node).tolist())
    return {column: sorted(codes) for column, codes in sorted(known.items())}


def _named(categories: list[list[Any]], model: dict[str, Any], rows: Tensor) -> Categories:
    """The categories of the columns that pandas held as such. The booster keeps them in order, but not whose they are.

    Raises UnsupportedError where neither the columns of strings nor those with categorical splits are as many.
    """
    coded = {i for i, vocabulary in enumerate(rows.vocabularies or ()) if vocabulary is not None}
    split = {i for i, name in enumerate(model["feature_names"]) if model["feature_infos"].get(name, {}).get("values")}
    for columns in (coded, coded | split):
        if len(columns) == len(categories):
            return dict(zip(sorted(columns), categories, strict=True))
    raise UnsupportedError("it cannot be told which columns pandas held as categories")


def _zero_limits(splits: list[Node], width: int) -> Floats:
    """ZERO for the columns whose numbers up to that count as missing, -1 for the others."""
    kinds: dict[int, set[str]] = {}
    for node in splits:
        kinds.setdefault(node["split_feature"], set()).add(node["missing_type"])
    limits = np.full(width, -1.0)
    for column, kind in kinds.items():
        if "Zero" in kind:
            limits[column] = ZERO
            if len(kind) > 1:
                raise UnsupportedError("a column's zeros count as missing in some trees only")
    return limits


def _values(model: dict[str, Any], raw: Tensor) -> Tensor:
    """What the objective makes of the sums (n, columns); of the means in a random forest. Raises UnsupportedError."""
    if model["average_output"]:
        raw = raw / (len(model["tree_info"]) // model["num_tree_per_iteration"])
    name, *settings = model["objective"].split()
    if name in IDENTITY:
        return raw.graph.op("Sign", raw) * raw * raw if "sqrt" in settings else raw
    if name in EXPONENTIAL:
        return scalar.exp(raw)
    if name == "multiclass":
        return scalar.softmax(raw)
    if name in ("binary", "multiclassova", "cross_entropy"):
        slope = float(dict(pair.split(":") for pair in settings).get("sigmoid", 1))
        return scalar.expit(raw * slope)
    raise UnsupportedError(f"no exact graph for the objective {name}")
