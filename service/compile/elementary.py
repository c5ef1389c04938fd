"""Elementary functions that ONNX Runtime computes number by number, so that no answer depends on the batch."""

from __future__ import annotations

from service.compile.graph import Operand, Tensor


def sqrt(values: Tensor) -> Tensor:
    return values.graph.op("Sqrt", values)


def absolute(values: Tensor) -> Tensor:
    return values.graph.op("Abs", values)


def square(values: Tensor) -> Tensor:
    return values * values


def power(values: Tensor, exponent: float) -> Tensor:
    return values.graph.op("Pow", values, exponent)


def maximum(values: Tensor, other: Operand) -> Tensor:
    return values.graph.op("Max", values, other)


def minimum(values: Tensor, other: Operand) -> Tensor:
    return values.graph.op("Min", values, other)
