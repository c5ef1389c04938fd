from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import kernels

from service.compile.covariance_functions import covariance, variance
from service.compile.graph import Graph, Tensor, UnsupportedError
from tests.service.compile.samples import FEATURES, rows
from tests.service.compile.test_lookup import run

POINTS = rows()[::7]
KERNELS = [
    kernels.RBF(0.7),
    kernels.RBF(np.arange(1.0, FEATURES + 1)),
    kernels.Matern(2.0, nu=0.5),
    kernels.Matern(2.0, nu=1.5),
    kernels.Matern(2.0, nu=2.5),
    kernels.Matern(2.0, nu=np.inf),
    kernels.RationalQuadratic(2.0, 0.5),
    kernels.ExpSineSquared(1.3, 2.0),
    kernels.DotProduct(0.5),
    kernels.DotProduct(0.5) ** 2,
    kernels.ConstantKernel(3.0) * kernels.RBF(2.0) + kernels.WhiteKernel(0.5),
    (kernels.ConstantKernel(3.0) + kernels.DotProduct(1.0)) * kernels.Matern(),
    kernels.ConstantKernel(3.0) ** 2 + kernels.WhiteKernel(0.5),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e30])
def test_a_covariance_is_the_kernels(kernel: Any, scale: float) -> None:
    asked = rows() * scale

    def build(x: Tensor) -> Tensor:
        return x.columns([0]) * 0.0 + covariance(kernel, x, POINTS)

    found = np.broadcast_to(run(build, asked), (len(asked), len(POINTS)))
    np.testing.assert_allclose(found, kernel(asked, POINTS), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_a_variance_is_the_kernels(kernel: Any) -> None:
    found = run(lambda x: x.columns([0]) * 0.0 + variance(kernel, x), rows())
    np.testing.assert_allclose(found[:, 0], kernel.diag(rows()), rtol=1e-13)


@pytest.mark.parametrize(
    "kernel", [kernels.Matern(nu=0.7), kernels.PairwiseKernel(), kernels.RBF() + kernels.Matern(nu=3)], ids=str
)
def test_a_kernel_without_an_exact_graph_is_refused(kernel: Any) -> None:
    with pytest.raises(UnsupportedError, match="kernel"):
        covariance(kernel, Graph([None] * FEATURES).rows, POINTS)
