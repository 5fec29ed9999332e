"""Instance norms that can be told their statistics, so that the tiles of a large picture agree with each other.

An instance norm takes mean and variance of each channel over the picture in hand (Ulyanov et al. 2016); a tile of sky
has others than the whole photo. Here each of them also gives its statistics away, and takes others in place of its own
when asked: two inputs that may be left out, and one output, beside those that the graph has.

statistics       [N, S, 2] mean and variance of every normalised channel, S in all, in the order of the layers
given            [N] 0: each picture's own statistics, as ever (the default); 1: those in `statistics`
statistics_seen  [N, S, 2] the pictures' own
"""
# N batch, C channel, S channels of all layers, H W picture

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STATISTICS, GIVEN, SEEN = "statistics", "given", "statistics_seen"
NORM = "InstanceNormalization"


def share_statistics(model: onnx.ModelProto) -> int:
    """Rewrite the graph's instance norms in place, and return how many channels they have; 0: nothing was to be done.

    Statistics are computed in the type of the norm's input, which is float32 in every graph from here.
    """
    norms = [node for node in model.graph.node if node.op_type == NORM]
    if not norms:
        return 0
    channels = _channels(model, norms)
    ends = np.cumsum(channels).tolist()
    written = _Writer()
    use = written.add("Cast", [GIVEN], to=TensorProto.BOOL)
    use_N111 = written.add("Unsqueeze", [use, written.integers(1, 2, 3)])
    starts = iter(zip([0, *ends], ends, strict=False))
    seen = []
    for node in model.graph.node:
        if node.op_type == NORM:
            seen.append(_written_out(written, node, next(starts), use_N111))
        else:
            written.nodes.append(node)
    written.add("Concat", seen, output=SEEN, axis=1)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in written.nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    _declare(model, ends[-1])
    return int(ends[-1])


def _written_out(written: "_Writer", norm: Any, channels: tuple[int, int], use_N111: str) -> str:
    """One norm as plain arithmetic: y = x a + b. Gives the name of its own statistics, [N, C, 2]."""
    x, scale, bias = norm.input
    epsilon = next(attribute.f for attribute in norm.attribute if attribute.name == "epsilon")
    over = written.integers(2, 3)
    mean = written.add("ReduceMean", [x, over], keepdims=1)
    square = written.add("ReduceMean", [written.add("Mul", [x, x]), over], keepdims=1)
    # E[x²] - E[x]² may fall below 0 by rounding, where a channel is constant.
    variance = written.add("Sub", [square, written.add("Mul", [mean, mean])])
    variance = written.add("Max", [variance, written.number(0.0)])
    first, last = channels
    ours = written.add("Slice", [STATISTICS, written.integers(first), written.integers(last), written.integers(1)])
    used = []
    for place, own in enumerate((mean, variance)):
        told = written.add("Unsqueeze", [written.add("Gather", [ours, written.index(place)], axis=2), over])
        used.append(written.add("Where", [use_N111, told, own]))
    deviation = written.add("Sqrt", [written.add("Add", [used[1], written.number(epsilon)])])
    a = written.add("Div", [written.add("Unsqueeze", [scale, written.integers(0, 2, 3)]), deviation])
    b = written.add(
        "Sub", [written.add("Unsqueeze", [bias, written.integers(0, 2, 3)]), written.add("Mul", [used[0], a])]
    )
    written.add("Add", [written.add("Mul", [x, a]), b], output=norm.output[0])
    own_NC12 = written.add("Concat", [mean, variance], axis=3)
    return written.add("Squeeze", [own_NC12, written.integers(2)])


class _Writer:
    """Nodes in order, each under a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], str] = {}

    def add(self, operator: str, inputs: Sequence[str], *, output: str | None = None, **attributes: Any) -> str:
        name = output or f"shared.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=f"{name}.{operator}", **attributes))
        return name

    def integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def index(self, value: int) -> str:
        return self._constant(np.array(value, np.int64))

    def number(self, value: float) -> str:
        return self._constant(np.array(value, np.float32))

    def _constant(self, array: np.ndarray[Any, Any]) -> str:
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            # A node, not an initializer: those are the network's weights.
            self._constants[key] = self.add("Constant", [], value=numpy_helper.from_array(array))
        return self._constants[key]


def _channels(model: onnx.ModelProto, norms: Sequence[Any]) -> list[int]:
    inferred = onnx.shape_inference.infer_shapes(model)
    sizes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in _values(inferred)}
    channels = [sizes[norm.input[0]][1] for norm in norms]
    assert all(channels), "this is a bug: a normalised value has an unknown number of channels"
    return channels


def _values(model: onnx.ModelProto) -> Iterator[Any]:
    yield from model.graph.value_info
    yield from model.graph.input


def _declare(model: onnx.ModelProto, channels: int) -> None:
    """Inputs with a default, and the output."""
    graph, kind = model.graph, TensorProto.FLOAT
    batch = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for name, shape in ((STATISTICS, (channels, 2)), (GIVEN, ())):
        graph.input.append(helper.make_tensor_value_info(name, kind, [batch, *shape]))
        graph.initializer.append(numpy_helper.from_array(np.zeros((1, *shape), np.float32), name))
    graph.output.append(helper.make_tensor_value_info(SEEN, kind, [batch, channels, 2]))
