"""Graphs of estimators of several outputs that have one estimator for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.compile import graph
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.responses import decision_values, probabilities, response


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
    answers = _answers_of_chain(estimator, numbers(rows), "predict")
    return Prediction(_in_order(estimator, [answer.predictions for answer in answers]))


@predictor("sklearn.ClassifierChain")
def classifier_chain(estimator: Any, rows: Tensor) -> Prediction:
    """Each output is a label of 0 or 1; scikit-learn gives one probability and one decision value for each."""
    inner = estimator.estimators_
    if any(list(link.classes_) != [0, 1] for link in inner):
        raise UnsupportedError("labels in a chain that are not 0 and 1")
    answers = _answers_of_chain(estimator, numbers(rows), estimator.chain_method_)
    likelihoods = values = None
    if all(hasattr(link, "predict_proba") for link in inner):
        likelihoods = _in_order(estimator, [probabilities(answer).columns([1]) for answer in answers])
    if all(hasattr(link, "decision_function") for link in inner):
        values = _in_order(estimator, [decision_values(answer) for answer in answers])
    return Prediction(_in_order(estimator, [answer.predictions for answer in answers]), likelihoods, values)


def _answers_of_chain(estimator: Any, rows: Tensor, handed_on: str) -> list[Prediction]:
    """Each estimator sees the rows, and what those before it in the chain handed on."""
    links, answers = [rows], []
    for inner in estimator.estimators_:
        answers.append(graph.predict(inner, rows.graph.concat(links)))
        links.append(response(inner, answers[-1], [handed_on]).reshape(-1, 1))
    return answers


def _in_order(estimator: Any, columns: list[Tensor]) -> Tensor:
    """(n, outputs): the chain may have gone through the outputs in another order."""
    return _side_by_side(columns).columns(np.argsort(estimator.order_))


def _side_by_side(answers: list[Tensor]) -> Tensor:
    return answers[0].graph.concat([answer.reshape(-1, 1) for answer in answers])
