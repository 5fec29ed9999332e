"""A float32 graph retyped: convolutions and what lies between them in float16, all else in float32.

The type is in the graph itself, so that every runtime computes alike: TensorRT has no more switches for it. Mapping,
affines, demodulation and normalisation statistics are float32, and so is the picture from its last convolution on.
"""
# C channel

from collections import Counter
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})
FOLLOWERS = {
    # Operators that compute in float16 once their data does -> which inputs share that type (None: all of them).
    **dict.fromkeys(("Add", "Sub", "Mul", "Max", "Min", "Clip", "Relu", "LeakyRelu", "Concat", "MatMul"), None),
    **dict.fromkeys(("Slice", "Reshape", "Transpose", "Expand", "Unsqueeze", "Squeeze", "Resize", "Gather"), (0,)),
    **dict.fromkeys(("DepthToSpace", "Identity", "Tile", "Split"), (0,)),
    "Pad": (0, 2),
}
ISLANDS = frozenset({"InstanceNormalization"})
"""They reduce in float32 and hand float16 on."""
REDUCTIONS = frozenset({"ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL2", "ReduceMax"})
PICTURE_CHANNELS = 4
"""What has no more channels is a picture."""


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """The retyped copy of a graph from `draw_graph`."""
    copy: onnx.ModelProto = onnx.ModelProto.FromString(model.SerializeToString())
    _unfold_batch_norms(copy)
    # The exporter records the type of what it made itself, not of what its operators' bodies make.
    copy = _inferred(copy)
    retyping = _Retyping(copy)
    for node in list(copy.graph.node):
        retyping.visit(node)
    del copy.graph.node[:]
    copy.graph.node.extend(retyping.nodes)
    # Types recorded at export are those of float32; the runtime infers them anew.
    del copy.graph.value_info[:]
    return copy


def emulated(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that rounds and overflows on the CPU as a GPU would.

    ONNX Runtime's CPU has no float16 kernels: it widens, computes in float32 and drops every narrowing in between, so
    that 3e6 passes where a GPU yields infinity. Two moves of an axis behind each float16 result, which it does not see
    through, keep the narrowing. A second output `poison` [N] is 0, or NaN where a picture's values are not all finite.
    """
    copy: onnx.ModelProto = onnx.ModelProto.FromString(model.SerializeToString())
    first = numpy_helper.from_array(np.zeros(1, np.int64), "emulation.axis")
    copy.graph.initializer.append(first)
    halves = _half_results(copy)
    nodes = []
    for node in copy.graph.node:
        made = [name for name in node.output if name in halves]
        for name in made:
            node.output[list(node.output).index(name)] = f"{name}.exact"
        nodes.append(node)
        for name in made:
            nodes.append(helper.make_node("Unsqueeze", [f"{name}.exact", first.name], [f"{name}.moved"]))
            nodes.append(helper.make_node("Squeeze", [f"{name}.moved", first.name], [name]))
    nodes += _poison(copy)
    del copy.graph.node[:]
    copy.graph.node.extend([onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes])
    return copy


class _Retyping:
    """One walk over the nodes; `half` holds the names of values that are float16 by now."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self._half: set[str] = set()
        self._casts: dict[tuple[str, int], str] = {}
        self._floats = _float_values(model)
        self._shapes = _shapes(model)
        consumers: dict[str, list[str]] = {}
        for node in model.graph.node:
            for name in node.input:
                consumers.setdefault(name, []).append(node.op_type)
        self._consumers = consumers

    def visit(self, node: onnx.NodeProto) -> None:
        has_half = any(name in self._half for name in node.input)
        if node.op_type in CONVOLUTIONS and not self._draws_picture_depthwise(node):
            self._convolve(node)
        elif node.op_type == "CastLike":
            self._like(node)
        elif not has_half:
            self.nodes.append(node)
        elif node.op_type in FOLLOWERS and not self._is_reduced(node):
            self._compute(node, HALF, FOLLOWERS[node.op_type])
            self._half.update(node.output)
        else:
            self._compute(node, FLOAT, None)
            if node.op_type in ISLANDS:
                self._narrow_output(node)

    def _convolve(self, node: onnx.NodeProto) -> None:
        self._compute(node, HALF, None)
        if self._out_channels(node) <= PICTURE_CHANNELS:
            self._widen_output(node)
        else:
            self._half.update(node.output)

    def _like(self, node: onnx.NodeProto) -> None:
        self.nodes.append(node)
        if node.input[1] in self._half:
            self._half.update(node.output)

    def _compute(self, node: onnx.NodeProto, wanted: int, places: tuple[int, ...] | None) -> None:
        for place, name in enumerate(node.input):
            if (places is None or place in places) and name in self._floats:
                node.input[place] = self._as(name, wanted)
        self.nodes.append(node)

    def _as(self, name: str, wanted: int) -> str:
        if (name in self._half) == (wanted == HALF):
            return name
        key = (name, wanted)
        if key not in self._casts:
            cast = f"{name}.{'float16' if wanted == HALF else 'float32'}"
            self._casts[key] = cast
            self.nodes.append(helper.make_node("Cast", [name], [cast], name=cast, to=wanted))
        return self._casts[key]

    def _widen_output(self, node: onnx.NodeProto) -> None:
        """What the node now yields in float16 goes on in float32."""
        self._cast_output(node, FLOAT, "narrow")

    def _narrow_output(self, node: onnx.NodeProto) -> None:
        self._cast_output(node, HALF, "wide")
        self._half.add(self.nodes[-1].output[0])

    def _cast_output(self, node: onnx.NodeProto, wanted: int, suffix: str) -> None:
        name = node.output[0]
        node.output[0] = f"{name}.{suffix}"
        self.nodes.append(helper.make_node("Cast", [node.output[0]], [name], name=f"{name}.retyped", to=wanted))

    def _is_reduced(self, node: onnx.NodeProto) -> bool:
        """Whether a statistic is made of it: squares of float16 would overflow."""
        consumers = self._consumers.get(node.output[0], [])
        return bool(consumers) and all(op_type in REDUCTIONS for op_type in consumers)

    def _out_channels(self, node: onnx.NodeProto) -> int:
        return self._shapes[node.output[0]][1]

    def _draws_picture_depthwise(self, node: onnx.NodeProto) -> bool:
        """The skip connection's filter over the picture."""
        group = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
        return group > 1 and self._out_channels(node) <= PICTURE_CHANNELS


def _float_values(model: onnx.ModelProto) -> set[str]:
    graph = model.graph
    typed = [*graph.input, *graph.value_info, *graph.output]
    floats = {value.name for value in typed if value.type.tensor_type.elem_type == FLOAT}
    return floats | {tensor.name for tensor in graph.initializer if tensor.data_type == FLOAT}


def _shapes(model: onnx.ModelProto) -> dict[str, list[int]]:
    """Sizes of what the exporter recorded; 0 for a free axis."""
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]
    }


def _unfold_batch_norms(model: onnx.ModelProto) -> None:
    """A batch norm with stored statistics is one scale and one shift a channel."""
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[Any] = []
    for node in model.graph.node:
        if node.op_type != "BatchNormalization":
            nodes.append(node)
            continue
        epsilon = next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
        scale_C, bias_C, mean_C, var_C = (numpy_helper.to_array(values[name]) for name in node.input[1:5])
        factor_C = scale_C / np.sqrt(var_C + epsilon)
        name, place = node.output[0], (-1, 1, 1)
        for suffix, array in ((".scale", factor_C), (".shift", bias_C - mean_C * factor_C)):
            stored = array.reshape(place).astype(np.float32)
            model.graph.initializer.append(numpy_helper.from_array(stored, name + suffix))
        nodes.append(helper.make_node("Mul", [node.input[0], f"{name}.scale"], [f"{name}.scaled"]))
        nodes.append(helper.make_node("Add", [f"{name}.scaled", f"{name}.shift"], [name]))
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def _half_results(model: onnx.ModelProto) -> set[str]:
    inferred = _inferred(model)
    return {
        value.name
        for value in [*inferred.graph.value_info, *inferred.graph.output]
        if value.type.tensor_type.elem_type == HALF
    }


def _inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    inferred: onnx.ModelProto = onnx.shape_inference.infer_shapes(model)
    return inferred


def _poison(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """0 times the picture, summed: NaN if any of it is infinite or no number."""
    makers = {name: node for node in model.graph.node for name in node.output}
    name = model.graph.output[0].name
    # Back from the bytes to before the clamp, which would hide what is not finite.
    while makers[name].op_type not in ("Clip", "Min", "Max"):
        name = makers[name].input[0]
    while makers[name].op_type in ("Clip", "Min", "Max"):
        name = makers[name].input[0]
    names = Counter(value.name for value in model.graph.output)
    assert "poison" not in names
    model.graph.output.append(helper.make_tensor_value_info("poison", FLOAT, ["batch"]))
    zero = numpy_helper.from_array(np.zeros([], np.float32), "emulation.zero")
    axes = numpy_helper.from_array(np.array([1, 2, 3], np.int64), "emulation.axes")
    model.graph.initializer.extend([zero, axes])
    return [
        helper.make_node("Mul", [name, zero.name], ["poison.zeros"]),
        helper.make_node("ReduceSum", ["poison.zeros", axes.name], ["poison"], keepdims=0),
    ]
