"""Graphs of FunctionTransformer: NumPy's own functions, by identity. A user's function is not looked into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from service.compile import scalar, special
from service.compile.graph import Tensor, UnsupportedError, numbers, transformer

# ONNX Runtime has these in float64; tan, the arc and the hyperbolic functions it has in float32 only.
OPERATORS: dict[Any, str] = {
    np.absolute: "Abs",
    np.ceil: "Ceil",
    np.cos: "Cos",
    np.fabs: "Abs",
    np.floor: "Floor",
    np.negative: "Neg",
    np.reciprocal: "Reciprocal",
    np.rint: "Round",
    np.sign: "Sign",
    np.sin: "Sin",
    np.sqrt: "Sqrt",
    np.tanh: "Tanh",
}
COMPOSED: dict[Any, Callable[[Tensor], Tensor]] = {
    np.exp: scalar.exp,
    np.expm1: special.expm1,
    np.isnan: lambda rows: rows.graph.isnan(rows).cast(np.float64),
    np.log: scalar.log,
    np.log10: lambda rows: scalar.log(rows) / np.log(10.0),
    np.log1p: special.log1p,
    np.log2: lambda rows: scalar.log(rows) / np.log(2.0),
    np.square: lambda rows: rows * rows,
    scipy.special.expit: scalar.expit,
}


@transformer("sklearn.FunctionTransformer")
def function_transformer(estimator: Any, rows: Tensor) -> Tensor:
    return apply(estimator.func, estimator.kw_args, rows)


def apply(function: Any, arguments: dict[str, Any] | None, rows: Tensor) -> Tensor:
    """``function(rows)``; None is the identity. Raises UnsupportedError where the function is not a known one."""
    if function is None:
        return rows
    if arguments or not isinstance(function, np.ufunc):
        raise UnsupportedError("a function of the user's own")
    if function in OPERATORS:
        return rows.graph.op(OPERATORS[function], numbers(rows))
    if function in COMPOSED:
        return COMPOSED[function](numbers(rows))
    raise UnsupportedError(f"no float64 operator for {function.__name__}")
