"""Graphs of estimators of several outputs that have one estimator for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.responses import probabilities, response


@predictor("sklearn.MultiOutputClassifier")
def multi_output_classifier(estimator: Any, rows: Tensor) -> Prediction:
    answers = [graph.predict(inner, rows) for inner in estimator.estimators_]
    predictions = _side_by_side([answer.predictions for answer in answers])
    if not all(hasattr(inner, "predict_proba") for inner in estimator.estimators_):
        return Prediction(predictions)
    return Prediction(predictions, tuple(probabilities(answer) for answer in answers))


@predictor("sklearn.MultiOutputRegressor")
def multi_output_regressor(estimator: Any, rows: Tensor) -> Prediction:
    return Prediction(_side_by_side([graph.predict(inner, rows).predictions for inner in estimator.estimators_]))


@predictor("sklearn.RegressorChain")
def regressor_chain(estimator: Any, rows: Tensor) -> Prediction:
    return Prediction(_answers_of_chain(estimator, numbers(rows), "predict", "predict"))


@predictor("sklearn.ClassifierChain")
def classifier_chain(estimator: Any, rows: Tensor) -> Prediction:
    """Each output is a label of 0 or 1; scikit-learn gives one probability and one decision value for each."""
    inner, values = estimator.estimators_, numbers(rows)
    if any(list(link.classes_) != [0, 1] for link in inner):
        raise UnsupportedError("labels in a chain that are not 0 and 1")
    answers = {
        method: _answers_of_chain(estimator, values, estimator.chain_method_, method)
        for method in ("predict", "predict_proba", "decision_function")
        if all(hasattr(link, method) for link in inner)
    }
    return Prediction(answers["predict"].cast(np.int64), answers.get("predict_proba"), answers.get("decision_function"))


def _answers_of_chain(estimator: Any, rows: Tensor, handed_on: str, asked: str) -> Tensor:
    """Each estimator sees the rows and what those before it in the chain handed on; (n, outputs)."""
    links, answers = [rows], []
    for inner in estimator.estimators_:
        seen = rows.graph.concat(links)
        links.append(response(inner, seen, [handed_on]).reshape(-1, 1))
        answers.append(response(inner, seen, [asked]))
    return _side_by_side(answers).columns(np.argsort(estimator.order_))


def _side_by_side(answers: list[Tensor]) -> Tensor:
    return answers[0].graph.concat([answer.reshape(-1, 1) for answer in answers])
