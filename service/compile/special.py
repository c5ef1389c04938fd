"""Functions that ONNX lacks in float64, to a few units in the last place."""

from __future__ import annotations

import numpy as np

from service.compile.graph import Tensor
from service.compile.scalar import exp, log

# Rational approximations of the normal quantile, lowest power last: Cephes (S. L. Moshier), ndtri.
CENTRE_NUMERATOR = (
    -5.99633501014107895267e1,
    9.80010754185999661536e1,
    -5.66762857469070293439e1,
    1.39312609387279679503e1,
    -1.23916583867381258016e0,
)
CENTRE_DENOMINATOR = (
    1.0,
    1.95448858338141759834e0,
    4.67627912898881538453e0,
    8.63602421390890590575e1,
    -2.25462687854119370527e2,
    2.00260212380060660359e2,
    -8.20372256168333339912e1,
    1.59056225126211695515e1,
    -1.18331621121330003142e0,
)
TAIL_NUMERATOR = (
    4.05544892305962419923e0,
    3.15251094599893866154e1,
    5.71628192246421288162e1,
    4.40805073893200834700e1,
    1.46849561928858024014e1,
    2.18663306850790267539e0,
    -1.40256079171354495875e-1,
    -3.50424626827848203418e-2,
    -8.57456785154685413611e-4,
)
TAIL_DENOMINATOR = (
    1.0,
    1.57799883256466749731e1,
    4.53907635128879210584e1,
    4.13172038254672030440e1,
    1.50425385692907503408e1,
    2.50464946208309415979e0,
    -1.42182922854787788574e-1,
    -3.80806407691578277194e-2,
    -9.33259480895457427372e-4,
)
TAIL = 0.13533528323661269189  # exp(-2)

# Rational approximations of the error function below 1 and of its complement above: Cephes, ndtr.
ERF_NUMERATOR = (
    9.60497373987051638749e0,
    9.00260197203842689217e1,
    2.23200534594684319226e3,
    7.00332514112805075473e3,
    5.55923013010394962768e4,
)
ERF_DENOMINATOR = (
    1.0,
    3.35617141647503099647e1,
    5.21357949780152679795e2,
    4.59432382970980127987e3,
    2.26290000613890934246e4,
    4.92673942608635921086e4,
)
ERFC_NUMERATOR = (
    2.46196981473530512524e-10,
    5.64189564831068821977e-1,
    7.46321056442269912687e0,
    4.86371970985681366614e1,
    1.96520832956077098242e2,
    5.26445194995477358631e2,
    9.34528527171957607540e2,
    1.02755188689515710272e3,
    5.57535335369399327526e2,
)
ERFC_DENOMINATOR = (
    1.0,
    1.32281951154744992508e1,
    8.67072140885989742329e1,
    3.54937778887819891062e2,
    9.75708501743205489753e2,
    1.82390916687909736289e3,
    2.24633760818710981792e3,
    1.65666309194161350182e3,
    5.57535340817727675546e2,
)
ERF_IS_ONE = 6.0  # from here on, in float64


def log1p(x: Tensor) -> Tensor:
    """``log(1 + x)`` without loss near zero: the rounding of 1 + x cancels (Higham, Accuracy and Stability, 1.14.1)."""
    u = x + 1.0
    scaled = log(u) * (x / (u - 1.0))
    return x.graph.where(u.equals(1.0), x, scaled)


def expm1(x: Tensor) -> Tensor:
    """``exp(x) - 1`` without loss near zero, by the same device."""
    u = exp(x)
    near = (u - 1.0) * (x / log(u))
    exact = x.graph.where(u.equals(1.0), x, near)
    return x.graph.where(x.graph.op("Abs", x).less(1.0), exact, u - 1.0)


def normal_quantile(p: Tensor) -> Tensor:
    """The standard normal's quantile of ``p`` between 1e-13 and 1 - 1e-13, as ``scipy.special.ndtri``."""
    graph = p.graph
    upper = p.greater(1.0 - TAIL)
    tail = graph.where(upper, 1.0 - p, p)
    y = tail - 0.5
    square = y * y
    ratio = square * _polynomial(square, CENTRE_NUMERATOR) / _polynomial(square, CENTRE_DENOMINATOR)
    centre = (y + y * ratio) * np.sqrt(2 * np.pi)
    x = graph.op("Sqrt", log(tail) * -2.0)
    z = 1.0 / x
    x0 = x - log(x) / x
    x1 = z * _polynomial(z, TAIL_NUMERATOR) / _polynomial(z, TAIL_DENOMINATOR)
    outside = graph.where(upper, x0 - x1, -(x0 - x1))
    return graph.where(tail.greater(TAIL), centre, outside)


def erf(x: Tensor) -> Tensor:
    """The error function, as ``scipy.special.erf``."""
    graph = x.graph
    size = graph.op("Abs", x)
    squared = x * x
    below = x * _polynomial(squared, ERF_NUMERATOR) / _polynomial(squared, ERF_DENOMINATOR)
    far = graph.op("Min", size, ERF_IS_ONE)
    complement = exp(-(far * far)) * _polynomial(far, ERFC_NUMERATOR) / _polynomial(far, ERFC_DENOMINATOR)
    return graph.where(size.less(1.0), below, graph.op("Sign", x) * (1.0 - complement))


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Horner's rule, highest power first."""
    value = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        value = value * x + coefficient
    return value
