"""Walks the wire format of an ONNX model before ONNX Runtime parses it.

A model file can name other files as the place of its tensors (external data: CVE-2022-25882, CVE-2024-27318,
CVE-2026-27489) and operators of custom domains. Neither has a place in a bundle. The serving image has no ``onnx``
package, so the few fields that matter are read here. Field numbers are those of onnx.proto (ONNX 1.23).
"""

from __future__ import annotations

from collections.abc import Iterator

from service.errors import BundleError

_ALLOWED_DOMAINS = frozenset({b"", b"ai.onnx", b"ai.onnx.ml"})
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEPTH_LIMIT = 32

# message -> field -> message inside it
_CHILDREN: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_NODE_DOMAIN, _TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION, _MODEL_TRAINING_INFO = 7, 13, 14, 20


def refuse_unsafe(model: bytes) -> None:
    """Raises BundleError for external data, custom domains, training graphs, or bytes that are no protobuf message."""
    _walk(memoryview(model), "Model", _DEPTH_LIMIT)


def _walk(message: memoryview, kind: str, depth: int) -> None:
    if depth == 0:
        raise BundleError("the ONNX model is nested too deeply")
    children = _CHILDREN[kind]
    for field, wire, value in _fields(message):
        if kind == "Tensor" and field in (_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION) and value:
            raise BundleError("the ONNX model refers to external data")
        if kind == "Node" and field == _NODE_DOMAIN and isinstance(value, memoryview):
            _check_domain(bytes(value))
        if kind == "Model" and field == _MODEL_TRAINING_INFO:
            raise BundleError("the ONNX model holds a training graph")
        if field in children:
            if wire != _BYTES or not isinstance(value, memoryview):
                raise BundleError("the ONNX model is not a valid protobuf message")
            _walk(value, children[field], depth - 1)


def _check_domain(domain: bytes) -> None:
    if domain not in _ALLOWED_DOMAINS:
        raise BundleError(f"the ONNX model uses operators of the domain {domain.decode(errors='replace')!r}")


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            number, position = _varint(message, position)
            yield field, wire, number
            continue
        if wire == _BYTES:
            size, position = _varint(message, position)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise BundleError("the ONNX model is not a valid protobuf message")
        if position + size > end:
            raise BundleError("the ONNX model is cut short")
        yield field, wire, message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if position >= len(message):
            raise BundleError("the ONNX model is cut short")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise BundleError("the ONNX model is not a valid protobuf message")
