"""A small builder of ONNX graphs in float64: tensors with operators, constants shared, one input of rows.

Estimators are converted by our own functions rather than by a general converter, because every one of them then works
in float64 from end to end (many graphs of others are float32, or do not load in float64), and because an answer can
then be held against the estimator's own formula line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
OPSET_ML = 5
IR_VERSION = 10
INPUT = "rows"

Vocabulary = tuple[Any, ...]


class UnsupportedError(Exception):
    """This estimator, or this setting of it, has no exact graph; the text says which."""


class Tensor:
    """A value in a graph under construction; arithmetic on it adds nodes.

    ``vocabularies`` has an entry for each column where the tensor still holds input columns: None for a
    number, or the values that the column's codes stand for. A code is the value's index in the vocabulary, -1 for any
    other value, NaN for a missing one. ``sparse`` tells that scikit-learn holds these rows as a sparse matrix: the
    graph's are dense all the same, but some of its formulas differ in their rounding there.
    """

    __array_ufunc__ = None  # so that an array minus a tensor is a tensor, not an array of objects

    def __init__(self, graph: Graph, name: str, vocabularies: tuple[Vocabulary | None, ...] | None = None) -> None:
        self.graph = graph
        self.name = name
        self.vocabularies = vocabularies
        self.sparse = False

    def __add__(self, other: Operand) -> Tensor:
        return self.graph.op("Add", self, other)

    def __sub__(self, other: Operand) -> Tensor:
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return self.graph.op("Mul", self, other)

    def __truediv__(self, other: Operand) -> Tensor:
        return self.graph.op("Div", self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return self.graph.op("Div", other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return self.graph.op("MatMul", self, other)

    def __neg__(self) -> Tensor:
        return self.graph.op("Neg", self)

    def greater(self, other: Operand) -> Tensor:
        return self.graph.op("Greater", self, other)

    def greater_equal(self, other: Operand) -> Tensor:
        return self.graph.op("GreaterOrEqual", self, other)

    def less(self, other: Operand) -> Tensor:
        return self.graph.op("Less", self, other)

    def less_equal(self, other: Operand) -> Tensor:
        return self.graph.op("LessOrEqual", self, other)

    def equals(self, other: Operand) -> Tensor:
        return self.graph.op("Equal", self, other)

    def cast(self, dtype: Any) -> Tensor:
        return self.graph.op("Cast", self, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def columns(self, indices: Sequence[int] | NDArray[np.int64]) -> Tensor:
        """The given columns, in that order, with their vocabularies. An empty choice gives shape (n, 0)."""
        taken = self.graph.op("Gather", self, np.asarray(indices, np.int64), axis=1)
        taken.sparse = self.sparse
        if self.vocabularies is not None:
            taken.vocabularies = tuple(self.vocabularies[i] for i in indices)
        return taken

    def sum(self, axis: int, *, keepdims: bool = False) -> Tensor:
        return self.graph.op("ReduceSum", self, np.array([axis], np.int64), keepdims=int(keepdims))

    def max(self, axis: int, *, keepdims: bool = False) -> Tensor:
        return self.graph.op("ReduceMax", self, np.array([axis], np.int64), keepdims=int(keepdims))

    def argmax(self, axis: int = 1) -> Tensor:
        """The first largest, as ``numpy.argmax``; int64."""
        return self.graph.op("ArgMax", self, axis=axis, keepdims=0)

    def reshape(self, *shape: int) -> Tensor:
        return self.graph.op("Reshape", self, np.array(shape, np.int64))


Operand = Tensor | NDArray[Any] | float | int


class Graph:
    """Collects nodes and constants; ``build`` makes the model.

    The input is float64 of shape (n, features): numbers, booleans as 0 or 1, and codes for string columns, in the
    order of the signature, NaN where missing.
    """

    def __init__(self, vocabularies: Sequence[Vocabulary | None]) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}
        self._count = 0
        self.rows = Tensor(self, INPUT, tuple(vocabularies))

    def op(self, kind: str, *inputs: Operand | None, domain: str = "", **attributes: Any) -> Tensor:
        """One node with one output. An array operand becomes a constant; a Python number a float64 scalar."""
        return self.op_many(kind, *inputs, outputs=1, domain=domain, **attributes)[0]

    def op_many(
        self, kind: str, *inputs: Operand | None, outputs: int, domain: str = "", **attributes: Any
    ) -> tuple[Tensor, ...]:
        names = ["" if value is None else self._name(value) for value in inputs]
        results = [self._fresh(kind) for _ in range(outputs)]
        self._nodes.append(helper.make_node(kind, names, results, domain=domain, **attributes))
        return tuple(Tensor(self, name) for name in results)

    def constant(self, value: Any) -> Tensor:
        """A constant of the array's own dtype; Python floats and ints become float64."""
        return Tensor(self, self._name(value if isinstance(value, np.ndarray) else np.asarray(value, np.float64)))

    def concat(self, parts: Sequence[Tensor], axis: int = 1) -> Tensor:
        """The parts side by side, with their vocabularies where every part has them.

        Raises UnsupportedError where a part holds codes and another does not tell its columns: the codes would pass
        for numbers.
        """
        if len(parts) == 1:
            return parts[0]
        joined = self.op("Concat", *parts, axis=axis)
        known = [part.vocabularies for part in parts]
        if axis == 1 and all(vocabularies is not None for vocabularies in known):
            joined.vocabularies = tuple(v for vocabularies in known for v in vocabularies or ())
        elif any(vocabulary is not None for vocabularies in known for vocabulary in vocabularies or ()):
            raise UnsupportedError("string columns are joined with columns of unknown number")
        return joined

    def where(self, condition: Tensor, yes: Operand, no: Operand) -> Tensor:
        return self.op("Where", condition, yes, no)

    def isnan(self, value: Tensor) -> Tensor:
        return self.op("IsNaN", value)

    def build(self, outputs: dict[str, Tensor], *, features: int) -> bytes:
        """The serialized model with the named outputs; the same estimator gives the same bytes.

        Nodes that no output rests on are left out: ONNX Runtime would run them, and an estimator inside another adds
        answers that nobody asks for.
        """
        for name, tensor in outputs.items():
            self._nodes.append(helper.make_node("Identity", [tensor.name], [name]))
        nodes, used = self._needed(outputs)
        graph = helper.make_graph(
            nodes,
            "estimator",
            [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, ["n", features])],
            [onnx.ValueInfoProto(name=name) for name in outputs],
            [constant for constant in self._constants.values() if constant.name in used],
        )
        model = helper.make_model(
            onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=_opsets())).graph,
            opset_imports=_opsets(),
            ir_version=IR_VERSION,
            producer_name="alphard",
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def _needed(self, outputs: Iterable[str]) -> tuple[list[onnx.NodeProto], set[str]]:
        """The nodes that the outputs rest on, in order, and every name that they use."""
        used = set(outputs)
        nodes = []
        for node in reversed(self._nodes):
            if used.intersection(node.output):
                nodes.append(node)
                used.update(node.input)
        return nodes[::-1], used

    def _name(self, value: Operand) -> str:
        if isinstance(value, Tensor):
            return value.name
        array = np.asarray(value) if isinstance(value, np.ndarray) else np.asarray(value, np.float64)
        array = np.ascontiguousarray(array).reshape(array.shape)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, f"c{len(self._constants)}")
        return self._constants[key].name

    def _fresh(self, kind: str) -> str:
        self._count += 1
        return f"{kind.lower()}_{self._count}"


def _opsets() -> list[onnx.OperatorSetIdProto]:
    return [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)]


class Prediction(NamedTuple):
    """What a converter of a predicting estimator adds to the graph.

    ``predictions`` is (n,) or (n, outputs): for a classifier the int64 index into ``classes_`` (or into each
    output's classes), for a multilabel indicator the int64 zeros and ones themselves, for an outlier detector or a
    clustering the int64 label, for a regressor float64. ``probabilities`` is (n, classes), or a tuple of such
    for a multi-output classifier. ``decision_values`` has scikit-learn's own shape: (n,) for a binary classifier,
    else (n, columns). Where the estimator has no ``predict_proba`` or ``decision_function`` the entry is None.
    """

    predictions: Tensor
    probabilities: Tensor | tuple[Tensor, ...] | None = None
    decision_values: Tensor | None = None


Predictor = Callable[[Any, Tensor], Prediction]
Transformer = Callable[[Any, Tensor], Tensor]
_F = TypeVar("_F", bound=Callable[..., Any])

_predictors: dict[str, Predictor] = {}
_transformers: dict[str, Transformer] = {}


def predictor(*qualified_names: str) -> Callable[[Predictor], Predictor]:
    """Registers a converter of predicting estimators by class name, so that no library is imported for it.

    A name is ``package.ClassName`` (``sklearn.LogisticRegression``): the top-level package and the class.
    """

    def register(function: Predictor) -> Predictor:
        _predictors.update(dict.fromkeys(qualified_names, function))
        return function

    return register


def transformer(*qualified_names: str) -> Callable[[Transformer], Transformer]:
    """Registers a converter of transforming estimators by class name; see ``predictor``."""

    def register(function: Transformer) -> Transformer:
        _transformers.update(dict.fromkeys(qualified_names, function))
        return function

    return register


def _key(estimator: Any) -> str:
    return f"{type(estimator).__module__.partition('.')[0]}.{type(estimator).__name__}"


def predict(estimator: Any, rows: Tensor) -> Prediction:
    """Adds the estimator's ``predict`` (and what it has beside it) to the graph. Raises UnsupportedError."""
    converter = _predictors.get(_key(estimator))
    if converter is None:
        raise UnsupportedError(f"no exact graph for {type(estimator).__name__}")
    return converter(estimator, rows)


def transform(estimator: Any, rows: Tensor) -> Tensor:
    """Adds the estimator's ``transform`` to the graph; dense float64. Raises UnsupportedError."""
    converter = _transformers.get(_key(estimator))
    if converter is None:
        raise UnsupportedError(f"no exact graph for {type(estimator).__name__}.transform")
    return converter(estimator, rows)


def numbers(rows: Tensor) -> Tensor:
    """The rows, if none of their columns holds codes: an estimator of numbers refuses strings.

    Raises UnsupportedError.
    """
    if rows.vocabularies is not None and any(vocabulary is not None for vocabulary in rows.vocabularies):
        raise UnsupportedError("a string column reaches an estimator of numbers")
    plain = Tensor(rows.graph, rows.name)
    plain.sparse = rows.sparse
    return plain
