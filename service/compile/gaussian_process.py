"""Graphs of Gaussian processes: what is summed over the covariances between rows and training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from service.compile import graph
from service.compile.arrays import float64
from service.compile.covariance_functions import covariance, variance
from service.compile.distances import squared_norms
from service.compile.dummy import repeated
from service.compile.elementary import sqrt
from service.compile.graph import Prediction, Tensor, UnsupportedError, numbers, predictor
from service.compile.scalar import total, two_columns
from service.compile.special import erf

# The sigmoid as a sum of error functions (Williams and Barber, Bayesian Classification with Gaussian Processes).
_LAMBDAS = np.array([0.41, 0.4, 0.37, 0.44, 0.39])
_COEFS = np.array([-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654])


@predictor("sklearn.GaussianProcessRegressor")
def gaussian_process_regressor(estimator: Any, rows: Tensor) -> Prediction:
    if not hasattr(estimator, "X_train_"):
        raise UnsupportedError("the estimator is not fitted")
    alpha = float64(estimator.alpha_)
    means = _covariances(estimator, rows) @ alpha.reshape(len(alpha), -1)
    values = means * float64(estimator._y_train_std) + float64(estimator._y_train_mean)
    return Prediction(values if alpha.ndim == 2 and alpha.shape[1] > 1 else values.reshape(-1))


@predictor("sklearn.GaussianProcessClassifier")
def gaussian_process_classifier(estimator: Any, rows: Tensor) -> Prediction:
    """Of two classes, or of more by scikit-learn's own reductions to two."""
    prediction = graph.predict(estimator.base_estimator_, rows)
    return Prediction(prediction.predictions, prediction.probabilities)


@predictor("sklearn._BinaryGaussianProcessClassifierLaplace")
def laplace_classifier(estimator: Any, rows: Tensor) -> Prediction:
    covariances = _covariances(estimator, rows)
    mean = covariances @ float64(estimator.y_train_ - estimator.pi_)[:, None]
    whitening = scipy.linalg.solve_triangular(estimator.L_, np.diag(estimator.W_sr_), lower=True)
    spread = -squared_norms(covariances @ whitening.T) + variance(estimator.kernel_, numbers(rows))
    return Prediction(mean.reshape(-1).greater(0.0).cast(np.int64), two_columns(_average_sigmoid(mean, spread)))


def _average_sigmoid(mean: Tensor, spread: Tensor) -> Tensor:
    """The mean of the sigmoid of normal variables of the given means and variances, (n, 1) each."""
    alpha = 1.0 / (spread * 2.0)
    errors = erf(mean * _LAMBDAS * sqrt(alpha / (alpha + _LAMBDAS**2)))
    integrals = sqrt(np.pi / alpha) * errors / (sqrt(spread * (2.0 * np.pi)) * 2.0)
    return total(integrals * _COEFS) + 0.5 * float(_COEFS.sum())


def _covariances(estimator: Any, rows: Tensor) -> Tensor:
    points = float64(estimator.X_train_)
    values = covariance(estimator.kernel_, numbers(rows), points)
    return values if isinstance(values, Tensor) else repeated(rows, np.full(len(points), values))
