from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.engines.onnx_proto import refuse_unsafe
from service.errors import BundleError


def _model(node: onnx.NodeProto, *, initializers: list[TensorProto] | None = None) -> onnx.ModelProto:
    rows = helper.make_tensor_value_info("rows", TensorProto.DOUBLE, ["n", 2])
    answer = helper.make_tensor_value_info("predictions", TensorProto.DOUBLE, ["n", 2])
    return helper.make_model(helper.make_graph([node], "g", [rows], [answer], initializers or []))


def _external() -> TensorProto:
    tensor = numpy_helper.from_array(np.ones(2), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


def test_a_plain_model_passes() -> None:
    model = _model(helper.make_node("Mul", ["rows", "w"], ["predictions"]), initializers=[_tensor()])
    refuse_unsafe(model.SerializeToString())


def _tensor() -> TensorProto:
    return numpy_helper.from_array(np.ones(2), "w")


def test_an_initializer_in_another_file_is_refused() -> None:
    model = _model(helper.make_node("Mul", ["rows", "w"], ["predictions"]), initializers=[_external()])
    with pytest.raises(BundleError, match="external data"):
        refuse_unsafe(model.SerializeToString())


def test_a_constant_in_another_file_is_refused_however_deep() -> None:
    inner = helper.make_node("Constant", [], ["x"], value=_external())
    branch = helper.make_graph([inner], "branch", [], [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [2])])
    node = helper.make_node("If", ["c"], ["predictions"], then_branch=branch, else_branch=branch)
    with pytest.raises(BundleError, match="external data"):
        refuse_unsafe(_model(node).SerializeToString())


def test_a_sparse_initializer_in_another_file_is_refused() -> None:
    model = _model(helper.make_node("Identity", ["rows"], ["predictions"]))
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(_external())
    with pytest.raises(BundleError, match="external data"):
        refuse_unsafe(model.SerializeToString())


def test_a_custom_domain_is_refused() -> None:
    node = helper.make_node("Run", ["rows"], ["predictions"], domain="com.example")
    with pytest.raises(BundleError, match=r"com\.example"):
        refuse_unsafe(_model(node).SerializeToString())


def test_a_custom_domain_inside_a_function_is_refused() -> None:
    model = _model(helper.make_node("Identity", ["rows"], ["predictions"]))
    function = helper.make_function(
        "local", "f", ["a"], ["b"], [helper.make_node("Run", ["a"], ["b"], domain="x")], [helper.make_opsetid("", 21)]
    )
    model.functions.append(function)
    with pytest.raises(BundleError, match="domain"):
        refuse_unsafe(model.SerializeToString())


@pytest.mark.parametrize(
    "junk", [b"\x80\x04junk", b"\xff" * 64, b"\x3a\xff\xff\xff\xff\x0f", b"PK\x03\x04zip", b"\x08"]
)
def test_bytes_that_are_no_model_are_refused(junk: bytes) -> None:
    with pytest.raises(BundleError):
        refuse_unsafe(junk)


def test_every_truncation_is_refused_or_harmless() -> None:
    data = _model(
        helper.make_node("Mul", ["rows", "w"], ["predictions"]), initializers=[_external()]
    ).SerializeToString()
    for end in range(len(data)):
        try:
            refuse_unsafe(data[:end])
        except BundleError:
            continue
        parsed = onnx.ModelProto()
        parsed.ParseFromString(data[:end])  # what passes is a whole message, and one without the tensor
        assert not parsed.graph.initializer
