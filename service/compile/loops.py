"""Loops inside a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from service.compile.graph import Graph, Tensor


class State(NamedTuple):
    """What a loop starts with and carries on: float64 or int64, and its shape beyond the rows."""

    start: Tensor
    shape: tuple[int, ...]
    integer: bool = False

    def declare(self, name: str) -> onnx.ValueInfoProto:
        kind = TensorProto.INT64 if self.integer else TensorProto.DOUBLE
        return helper.make_tensor_value_info(name, kind, ["n", *self.shape])


Step = Callable[[list[Tensor]], tuple[Tensor, list[Tensor]]]


def repeat(name: str, limit: int, going: Tensor, states: Sequence[State], step: Step) -> list[Tensor]:
    """The states after steps, ``limit`` times at most, while ``going`` and then each step's boolean scalar hold.

    ``step`` takes the states and gives whether to go on and their new values. It may use nothing else from outside but
    constants: the graph keeps only nodes that it sees to be used. ``name`` sets its own names apart.
    """
    body = _Body()
    inner = [Tensor(body, f"state_{i}") for i in range(len(states))]
    inputs = [
        helper.make_tensor_value_info("count", TensorProto.INT64, []),
        helper.make_tensor_value_info("going", TensorProto.BOOL, []),
        *(state.declare(tensor.name) for tensor, state in zip(inner, states, strict=True)),
    ]
    on, updated = step(inner)
    builder = going.graph
    ended = builder.op_many(
        "Loop",
        np.array(limit, np.int64),
        going,
        *(state.start for state in states),
        outputs=len(states),
        body=body.close(name, inputs, [on, *updated]),
    )
    # ONNX infers no shape for what leaves a loop
    return [tensor.reshape(-1, *state.shape) for tensor, state in zip(ended, states, strict=True)]


class _Body(Graph):
    def __init__(self) -> None:
        super().__init__(())

    def close(self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[Tensor]) -> onnx.GraphProto:
        """The body, its names prefixed. An output is a node's own: a state that stays goes through Identity."""
        ends = [onnx.ValueInfoProto(name=self.op("Identity", output).name) for output in outputs]
        return compose.add_prefix_graph(
            helper.make_graph(self._nodes, name, inputs, ends, list(self._constants.values())), f"{name}_"
        )
