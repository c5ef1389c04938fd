"""exp and log of float64 to the last bits, the same in every batch, and what stands on them.

ONNX Runtime's own Exp, Log, Sigmoid and Softmax work on several numbers at a time and treat the rest of a tensor
otherwise: the last bits of an answer, and its label where two classes tie, would depend on the other rows in
the batch. (Its Sigmoid, in float64, is also off by 1e-9.) Pow and ReduceLogSum call the C library number by number.
"""

from __future__ import annotations

import numpy as np

from service.compile.graph import Tensor


def exp(x: Tensor) -> Tensor:
    """``numpy.exp`` within 1e-16 times ``1 + abs(x)``, since e is rounded."""
    return x.graph.op("Pow", np.e, x)


def log(x: Tensor) -> Tensor:
    """``numpy.log`` of a matrix: of the sum of each number alone."""
    alone = x.graph.op("Unsqueeze", x, np.array([-1], np.int64))
    return x.graph.op("ReduceLogSum", alone, np.array([-1], np.int64), keepdims=0)


def total(x: Tensor, axis: int = 1) -> Tensor:
    """The sum along an axis, which stays with the length 1, from the first number to the last.

    ONNX Runtime's ReduceSum adds in an order that depends on where a row lies in memory.
    """
    sums = x.graph.op("CumSum", x, np.array(axis, np.int64))
    return x.graph.op("Gather", sums, np.array([-1], np.int64), axis=axis)


def tanh(x: Tensor) -> Tensor:
    """Within 1e-15 of ``numpy.tanh``."""
    small = exp(x.graph.op("Abs", x) * -2.0)
    return x.graph.op("Sign", x) * ((1.0 - small) / (small + 1.0))


def expit(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return 1.0 / (exp(-x) + 1.0)


def softmax(x: Tensor) -> Tensor:
    """Of each row of a matrix, less its largest number, as ``sklearn.utils.extmath.softmax``."""
    raised = exp(x - x.max(1, keepdims=True))
    return raised / total(raised)


def two_columns(positive: Tensor) -> Tensor:
    """(n, 2) of the probabilities (n,) of the second class: ``1 - p`` and ``p``."""
    column = positive.reshape(-1, 1)
    return positive.graph.concat([1.0 - column, column])
