"""Graphs of naive Bayes: the joint log-likelihood of each class, and its normalization."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from service.compile.arrays import float64
from service.compile.elementary import square
from service.compile.graph import Prediction, Tensor, numbers, predictor
from service.compile.scalar import exp, log, total


@predictor("sklearn.GaussianNB")
def gaussian(estimator: Any, rows: Tensor) -> Prediction:
    variances = float64(estimator.var_)
    deviations = numbers(rows).reshape(-1, 1, variances.shape[1]) - float64(estimator.theta_)
    constants = float64(-0.5 * np.log(2.0 * np.pi * estimator.var_).sum(axis=1))
    distances = total(square(deviations) / variances, axis=2).reshape(-1, len(variances))
    likelihoods = distances * -0.5 + constants
    return normalized(likelihoods + float64(np.log(estimator.class_prior_)))


@predictor("sklearn.MultinomialNB")
def multinomial(estimator: Any, rows: Tensor) -> Prediction:
    return normalized(numbers(rows) @ estimator.feature_log_prob_.T + estimator.class_log_prior_)


@predictor("sklearn.ComplementNB")
def complement(estimator: Any, rows: Tensor) -> Prediction:
    likelihoods = numbers(rows) @ estimator.feature_log_prob_.T
    if len(estimator.classes_) == 1:
        likelihoods = likelihoods + estimator.class_log_prior_
    return normalized(likelihoods)


@predictor("sklearn.BernoulliNB")
def bernoulli(estimator: Any, rows: Tensor) -> Prediction:
    plain = numbers(rows)
    if estimator.binarize is not None:
        plain = plain.greater(estimator.binarize).cast(np.float64)
    absent = np.log(1 - np.exp(estimator.feature_log_prob_))
    likelihoods = plain @ (estimator.feature_log_prob_ - absent).T
    return normalized(likelihoods + (estimator.class_log_prior_ + absent.sum(axis=1)))


@predictor("sklearn.CategoricalNB")
def categorical(estimator: Any, rows: Tensor) -> Prediction:
    """Rows are cast to integers, as the estimator casts them: towards zero."""
    codes = numbers(rows).cast(np.int64)
    parts = [
        rows.graph.op("Gather", rows.graph.constant(np.ascontiguousarray(table.T)), codes.columns([i]).reshape(-1))
        for i, table in enumerate(estimator.feature_log_prob_)
    ]
    return normalized(reduce(Tensor.__add__, parts) + estimator.class_log_prior_)


def normalized(joint: Tensor) -> Prediction:
    """Classes and probabilities from joint log-likelihoods, (n, classes)."""
    return Prediction(joint.argmax(), probabilities=exp(joint - _log_sum_exp(joint)))


def _log_sum_exp(values: Tensor) -> Tensor:
    """Over the columns, (n, 1), in the order of scikit-learn's own.

    The largest values are counted and left out of the sum: among terms of 1e9, the result's last bit decides a
    probability's seventh digit.
    """
    builder = values.graph
    largest = values.max(1, keepdims=True)
    is_largest = values.equals(largest)
    shift = builder.where(builder.op("IsInf", largest), 0.0, largest)
    rest = total(exp(builder.where(is_largest, -np.inf, values) - shift))
    count = total(is_largest.cast(np.float64))
    return log(rest / count + 1.0) + log(count) + largest
