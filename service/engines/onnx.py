"""ONNX Runtime as an engine: one float64 matrix in, the estimator's own types out."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import UNSEEN, Answers, Outputs, Rows, Signature
from service.engines.onnx_proto import refuse_unsafe
from service.errors import BundleError, EngineError

# Since 1.29 the wheels for Linux report sessions to their maker, unless told not to before they are imported
# (https://github.com/microsoft/onnxruntime/pull/27379).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

INPUT = "rows"
_DTYPES: dict[str, Any] = {"float64": np.float64, "float32": np.float32, "int64": np.int64, "bool": np.bool_}


class OnnxEngine:
    """Runs a graph in one thread: sums keep one order, so an answer does not depend on the batch or the machine."""

    def __init__(self, model: bytes, signature: Signature) -> None:
        """Raises BundleError if the graph is unsafe, does not load, or does not fit the signature."""
        refuse_unsafe(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3  # its warnings are not in our log's form; errors arrive as exceptions
        try:
            # Without its fallback, which would print to standard output that it tries the same provider again.
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime raises a dozen unrelated types
            raise BundleError(f"ONNX Runtime cannot load the graph: {_first_line(error)}") from error
        self._signature = signature
        self._outputs = signature.outputs
        self._encode = _RowEncoder(signature)
        self._restore = LabelRestorer(signature.outputs)
        self._probability_names = self._check_names()

    def _check_names(self) -> list[str]:
        names = {output.name for output in self._session.get_outputs()}
        probabilities = ["probabilities"]
        if "probabilities" not in names and self._outputs.classes_by_output is not None:
            probabilities = [f"probabilities_{i}" for i in range(len(self._outputs.classes_by_output))]
        wanted = {"predictions"}
        if self._outputs.probabilities:
            wanted.update(probabilities)
        if self._outputs.decision_width is not None:
            wanted.add("decision_values")
        inputs = [given.name for given in self._session.get_inputs()]
        if inputs != [INPUT] or not wanted <= names:
            raise BundleError(f"the graph has inputs {inputs} and outputs {sorted(names)}, not {sorted(wanted)}")
        return probabilities

    def predict(self, rows: Rows, *, probabilities: bool = False, decision_values: bool = False) -> Answers:
        """See ``Engine.predict``. Raises EngineError if ONNX Runtime fails or answers in another number."""
        wanted = ["predictions"]
        if probabilities:
            wanted += self._probability_names
        if decision_values:
            wanted.append("decision_values")
        try:
            results = self._session.run(wanted, {INPUT: self._encode(rows)})
        except Exception as error:
            raise EngineError(f"ONNX Runtime failed: {_first_line(error)}") from error
        if len(results[0]) != len(rows.numbers):
            raise EngineError(f"the graph answered {len(results[0])} rows of {len(rows.numbers)}")
        return Answers(
            self._restore(results[0]),
            self._restore_probabilities(results[1:]) if probabilities else None,
            results[-1] if decision_values else None,
        )

    def _restore_probabilities(self, results: list[NDArray[Any]]) -> NDArray[Any] | tuple[NDArray[Any], ...]:
        if self._probability_names == ["probabilities"]:
            return results[0]
        return tuple(results[: len(self._probability_names)])


class _RowEncoder:
    """Decoded rows to the graph's matrix: numbers as they are, strings as their index in the feature's categories."""

    def __init__(self, signature: Signature) -> None:
        features = signature.features
        self._width = len(features)
        self._numeric = _places([not feature.is_string for feature in features])
        self._strings = _places([feature.is_string for feature in features])
        self._float32 = _places([feature.dtype == "float32" for feature in features])
        # pandas makes a value that its dtype does not know a missing one
        self._known_or_missing = _places(
            [feature.frame_dtype == "category" for feature in features if feature.is_string]
        )
        self._codes = [feature.codes() for feature in features if feature.is_string]

    def __call__(self, rows: Rows) -> NDArray[np.float64]:
        matrix = rows.numbers
        if self._codes:
            matrix = np.empty((len(rows.numbers), self._width))
            matrix[:, self._numeric] = rows.numbers
            matrix[:, self._strings] = self._code(rows)
        if self._float32.size:
            matrix = matrix.copy() if matrix is rows.numbers else matrix
            matrix[:, self._float32] = matrix[:, self._float32].astype(np.float32)
        return np.ascontiguousarray(matrix)

    def _code(self, rows: Rows) -> NDArray[np.float64]:
        codes = rows.codes
        if codes is None:
            columns = zip(self._codes, rows.strings.T, strict=True)
            codes = np.array([[known.get(value, UNSEEN) for value in column] for known, column in columns]).T
        if self._known_or_missing.size:
            codes = codes.copy()
            some = codes[:, self._known_or_missing]
            codes[:, self._known_or_missing] = np.where(some == UNSEEN, np.nan, some)
        return codes


class LabelRestorer:
    """Indices into classes become the classes; everything else keeps its value in the estimator's own dtype."""

    def __init__(self, outputs: Outputs) -> None:
        self._dtype = _DTYPES.get(outputs.dtype, object)
        by_output = outputs.classes_by_output
        self._by_output = None if by_output is None else [np.array(classes, self._dtype) for classes in by_output]
        labelled = outputs.classes is not None and outputs.width is None
        self._classes = np.array(outputs.classes, self._dtype) if labelled else None

    def __call__(self, predictions: NDArray[Any]) -> NDArray[Any]:
        if self._by_output is not None:
            return np.column_stack([classes[predictions[:, i]] for i, classes in enumerate(self._by_output)])
        restored: NDArray[Any]
        if self._classes is not None:
            restored = self._classes[predictions]
        else:
            restored = predictions.astype(self._dtype, copy=False)
        return restored


def _places(chosen: list[bool]) -> NDArray[np.intp]:
    return np.flatnonzero(np.array(chosen, bool))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
