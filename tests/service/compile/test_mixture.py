from __future__ import annotations

import numpy as np
import pytest
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale
from tests.service.compile.samples import fit, rows

COVARIANCES = ["full", "tied", "diag", "spherical"]


@pytest.mark.parametrize("covariances", COVARIANCES)
def test_a_mixture_answers_as_its_estimator(covariances: str) -> None:
    mixture = fit(lambda: GaussianMixture(3, covariance_type=covariances, random_state=0), rows())
    assert_exact_at_every_scale(mixture, rows())


@pytest.mark.parametrize("covariances", COVARIANCES)
@pytest.mark.parametrize("prior", ["dirichlet_process", "dirichlet_distribution"])
def test_a_bayesian_mixture_answers_as_its_estimator(covariances: str, prior: str) -> None:
    options = {"covariance_type": covariances, "weight_concentration_prior_type": prior, "random_state": 0}
    assert_exact_at_every_scale(fit(lambda: BayesianGaussianMixture(n_components=3, **options), rows()), rows())


@pytest.mark.parametrize("covariances", COVARIANCES)
def test_a_mixture_fitted_on_float32_answers_to_float64(covariances: str) -> None:
    mixture = fit(lambda: GaussianMixture(3, covariance_type=covariances, random_state=0), rows().astype(np.float32))
    assert_exact(mixture, rows(), tolerance=1e-5)
