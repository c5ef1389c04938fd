"""Graphs of XGBoost's tree boosters, which compare and add in float32.

The form of the model is that of ``save_raw("json")`` (doc/model.schema in dmlc/xgboost); the formulas of the objectives
are those of src/objective and src/common/math.h there.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.compile import scalar
from service.compile.category_codes import codes_by_name, replace_columns
from service.compile.graph import Prediction, Tensor, UnsupportedError, predictor
from service.compile.tree_ensemble import Tree, constant, sum_leaves

ONE, HALF, NAN = (np.array(number, np.float32) for number in (1.0, 0.5, np.nan))


@predictor("xgboost.XGBRegressor", "xgboost.XGBRFRegressor")
def xgboost_regressor(estimator: Any, rows: Tensor) -> Prediction:
    document = model(estimator)
    values = _values(_objective(estimator, document), _margins(estimator, document, rows)).cast(np.float64)
    return Prediction(values.reshape(-1) if _groups(document) == 1 else values)


@predictor("xgboost.XGBClassifier", "xgboost.XGBRFClassifier")
def xgboost_classifier(estimator: Any, rows: Tensor) -> Prediction:
    document = model(estimator)
    objective = _objective(estimator, document)
    margins = _margins(estimator, document, rows)
    if objective == "multi:softmax":  # its probabilities are SciPy's
        return Prediction(margins.argmax(), scalar.softmax(margins.cast(np.float64)))
    values = _values(objective, margins)
    several = _groups(document) > 1
    if several and estimator.n_classes_ != 2:
        return Prediction(values.argmax(), values.cast(np.float64))
    if objective.startswith("multi:"):
        raise UnsupportedError("an objective of several classes for two")
    labels = values.greater(HALF).cast(np.int64)
    if several:
        return Prediction(labels, values.cast(np.float64))
    return Prediction(
        labels.reshape(-1), rows.graph.concat([rows.graph.op("Sub", ONE, values), values]).cast(np.float64)
    )


def model(estimator: Any) -> dict[str, Any]:
    """The booster's JSON, cut to the trees that predict uses. Raises UnsupportedError where it has no plain trees."""
    document: dict[str, Any] = json.loads(bytes(estimator.get_booster().save_raw("json")))
    if document["learner"]["gradient_booster"]["name"] != "gbtree":
        raise UnsupportedError("no exact graph for a booster other than gbtree")
    _, last = estimator._get_iteration_range(None)
    if last:
        _cut(document, last)
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in _forest(document)["trees"]):
        raise UnsupportedError("no exact graph for trees with vectors at their leaves")
    return document


def trees(document: dict[str, Any]) -> list[Tree]:
    """The trees of the model; strict, that is a row goes left below the split."""
    forest = _forest(document)
    return [_tree(tree, target) for tree, target in zip(forest["trees"], forest["tree_info"], strict=True)]


def _tree(tree: dict[str, Any], target: int) -> Tree:
    left, right = (np.array(tree[side], np.int64) for side in ("left_children", "right_children"))
    default_left = np.array(tree["default_left"], np.bool_)
    split = np.array(tree["split_conditions"], np.float64)
    categorical = np.array(tree["split_type"], np.int64) == 1  # there a row goes right if it is in the set
    ends = np.cumsum(tree["categories_sizes"], dtype=np.int64)
    sets = np.split(np.array(tree["categories"], np.float64), ends[:-1])
    return Tree(
        feature=np.where(left < 0, 0, np.array(tree["split_indices"], np.int64)),
        split=split,
        left=np.where(categorical, right, left),
        right=np.where(categorical, left, right),
        missing_left=default_left ^ categorical,
        value=split,
        target=np.full(len(left), target),
        members=dict(zip(tree["categories_nodes"], sets, strict=False)),
    )


def _forest(document: dict[str, Any]) -> dict[str, Any]:
    forest: dict[str, Any] = document["learner"]["gradient_booster"]["model"]
    return forest


def _cut(document: dict[str, Any], iterations: int) -> None:
    """Leaves only the first iterations in the document."""
    forest = _forest(document)
    ends = forest["iteration_indptr"][: iterations + 1]
    forest["iteration_indptr"] = ends
    for key in ("trees", "tree_info"):
        forest[key] = forest[key][: ends[-1]]
    forest["gbtree_model_param"]["num_trees"] = str(ends[-1])


def _groups(document: dict[str, Any]) -> int:
    """How many sums there are: classes or outputs."""
    parameters = document["learner"]["learner_model_param"]
    return max(1, int(parameters["num_class"]), int(parameters["num_target"]))


def _margins(estimator: Any, document: dict[str, Any], rows: Tensor) -> Tensor:
    """(n, groups) in float32: the base score and, tree after tree, what is added to it."""
    begin = [constant(float(value), target) for target, value in enumerate(_start(estimator, document))]
    encoded = _encode(estimator, document, rows)
    if rows.sparse:  # what a sparse matrix does not store is missing to XGBoost
        encoded = rows.graph.where(encoded.equals(0.0), np.nan, encoded)
    seen = encoded.cast(np.float32)
    if not np.isnan(estimator.missing):
        seen = rows.graph.where(seen.equals(np.array(estimator.missing, np.float32)), NAN, seen)
    return sum_leaves(seen, [*begin, *trees(document)], _groups(document), strict=True, dtype=np.float32)


def _start(estimator: Any, document: dict[str, Any]) -> NDArray[np.float32]:
    """The margin before any tree, as XGBoost itself derives it from the base score: its trees with empty leaves."""
    empty = json.loads(json.dumps(document))
    _cut(empty, 1)
    for tree in _forest(empty)["trees"]:
        tree["split_conditions"] = [0.0] * len(tree["split_conditions"])
    booster = type(estimator.get_booster())()
    booster.load_model(bytearray(json.dumps(empty).encode()))
    row = np.zeros((1, estimator.n_features_in_), np.float32)
    start: NDArray[np.float32] = booster.inplace_predict(row, predict_type="margin", validate_features=False).reshape(
        -1
    )
    return start


def _encode(estimator: Any, document: dict[str, Any], rows: Tensor) -> Tensor:
    """The rows with the places of their categories among those of the training frame."""
    known = dict(enumerate(_forest(document).get("cats", {}).get("enc", [])))
    categories = {column: _decode(entry) for column, entry in known.items() if entry["values"]}
    if not categories and any(any(tree["split_type"]) for tree in _forest(document)["trees"]):
        raise UnsupportedError("no exact graph for categories that stand as numbers in an array")
    others = [(list(categories), codes_by_name(rows, categories))] if categories else []
    return replace_columns(rows, estimator.n_features_in_, others)


def _decode(entry: dict[str, Any]) -> list[Any]:
    """A column's categories: integers, or strings that stand end to end.

    XGBoost 3.2 takes a string's length in characters for that in bytes, and so mangles the names that follow.
    """
    if "offsets" not in entry:
        return list(entry["values"])
    text = np.array(entry["values"]).astype(np.uint8).tobytes()
    if not text.isascii():
        raise UnsupportedError("XGBoost mangles the names of categories beyond ASCII")
    return [text[begin:end].decode() for begin, end in itertools.pairwise(entry["offsets"])]


def _objective(estimator: Any, document: dict[str, Any]) -> str:
    if callable(estimator.objective):
        raise UnsupportedError("an objective of the user's own")
    return str(document["learner"]["objective"]["name"])


def _values(objective: str, margins: Tensor) -> Tensor:
    """What the objective makes of margins (n, groups), in float32."""
    if objective not in TRANSFORMS:
        raise UnsupportedError(f"no exact graph for the objective {objective}")
    return TRANSFORMS[objective](margins)


def _exp(x: Tensor) -> Tensor:
    """The C library's expf, which rounds as float64 does when it is brought to float32 in the end."""
    return scalar.exp(x.cast(np.float64)).cast(np.float32)


def _sigmoid(x: Tensor) -> Tensor:
    return x.graph.op("Div", ONE, _exp(-x) + ONE)


def _softmax(x: Tensor) -> Tensor:
    """The sum is kept in float64 and rounded before the division."""
    raised = _exp(x - x.max(1, keepdims=True))
    return raised / scalar.total(raised.cast(np.float64)).cast(np.float32)


TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    **dict.fromkeys(
        (
            "reg:squarederror",
            "reg:squaredlogerror",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "reg:quantileerror",
            "binary:logitraw",
        ),
        lambda margins: margins,
    ),
    **dict.fromkeys(("reg:logistic", "binary:logistic"), _sigmoid),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), _exp),
    "multi:softprob": _softmax,
    "binary:hinge": lambda margins: margins.greater(np.array(0, np.float32)).cast(np.float32),
}
