"""From a PyTorch module to an ONNX file whose batch is free: weights stored as float16, no trace of the machine."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from models.export.graphs import Graph
from models.export.shared_statistics import share_statistics

OPSET = 20
HALF_FROM = 256
"""Tensors with fewer numbers stay float32: they weigh nothing, and biases and gains gain from the precision."""
EXAMPLE_BATCH = 2
"""The exporter takes 0 and 1 for constants of the graph, and 2 for a size that may change."""
EXAMPLE_MULTIPLES = (4, 6)
"""Height and width of an example picture, in multiples of what they must be a multiple of."""
NETWORK = "network."
STORED = ".half"
"""How the name of a weight's stored float16 ends; without it, it is the published name of the tensor."""


def round_to_half(network: nn.Module) -> None:
    """Give every parameter the value that the file will hold, so that parity compares like with like."""
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point() and tensor.numel() >= HALF_FROM:
                tensor.copy_(tensor.half().float())


def draw_graph(graph: Graph) -> onnx.ModelProto:
    """The graph in float32, weights included, under the names of the network's tensors."""
    example = _example(graph)
    inputs = tuple(torch.from_numpy(array) for array in example.values())
    batch = torch.export.Dim("batch", min=1, max=64)
    free = [{0: batch, **_free_dims(graph, name)} for name in example]
    assert isinstance(graph, nn.Module)
    with quiet_exporter():
        program = torch.onnx.export(
            graph.eval(),
            inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(example),
            output_names=[graph.output],
            dynamic_shapes=tuple(free),
            # Folding would store products of weights (a demodulation table, say) beside the weights.
            # The runtime folds them when it opens the graph.
            optimize=False,
            verbose=False,
        )
    assert program is not None, "the dynamo exporter returns a program"
    model: onnx.ModelProto = program.model_proto
    _check_free_axes(model, graph, list(example))
    strip_traces(model)
    _name_as_published(model)
    return model


def save_graph(model: onnx.ModelProto, path: Path, *, exact: bool = False) -> None:
    """Store the weights as float16, let instance norms be told their statistics, and write the file.

    exact: weights that float16 cannot hold as they are stay float32.
    """
    store_as_half(model, exact=exact)
    share_statistics(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def store_as_half(model: onnx.ModelProto, *, exact: bool = False) -> None:
    """Keep the weights as float16 with a cast behind each: half the download, and float32 arithmetic all the same.

    exact: only those that lose nothing by it. The runtime folds the casts when it opens the graph. A node that casts a
    weight to float16 gets the stored one.
    """
    stored = {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if _is_stored_as_half(tensor) and not (exact and _loses(tensor))
    }
    kept, renamed = [], {}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in stored and node.attribute[0].i == TensorProto.FLOAT16:
            renamed[node.output[0]] = node.input[0] + STORED
        else:
            kept.append(node)
    widened = {name for node in kept for name in node.input} & stored.keys()
    casts = [
        helper.make_node("Cast", [name + STORED], [name], name=f"{name}.widen", to=TensorProto.FLOAT)
        for name in stored
        if name in widened
    ]
    for node in kept:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    for name, tensor in stored.items():
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, name + STORED))
    replace_nodes(model, [*casts, *kept])


def replace_nodes(model: onnx.ModelProto, nodes: list[Any]) -> None:
    """Give the graph these nodes, in this order, in place of its own."""
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def stored_tensors(path: Path) -> dict[str, Any]:
    """The weights in a graph's file: published name -> float32 numpy array."""
    tensors = {}
    graph = onnx.load(path).graph
    defaults = {value.name for value in graph.input}
    for tensor in (tensor for tensor in graph.initializer if tensor.name not in defaults):
        values = numpy_helper.to_array(tensor)
        name = tensor.name.removesuffix(STORED)
        tensors[name] = values.astype(np.float32) if values.dtype == np.float16 else values.copy()
    return tensors


def _is_stored_as_half(tensor: TensorProto) -> bool:
    return tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= HALF_FROM


def _loses(tensor: TensorProto) -> bool:
    values = numpy_helper.to_array(tensor)
    with np.errstate(over="ignore"):
        return not np.array_equal(values, values.astype(np.float16).astype(np.float32))


def _example(graph: Graph) -> dict[str, Any]:
    multiples = [multiple for axes in graph.free_sizes.values() for multiple in axes.values()] or [0, 0]
    height, width = (factor * multiple for factor, multiple in zip(EXAMPLE_MULTIPLES, multiples, strict=True))
    return graph.random_inputs(np.random.default_rng(0), EXAMPLE_BATCH, height, width)


def _free_dims(graph: Graph, name: str) -> dict[int, Any]:
    """A free axis is a multiple by name, so that the exporter can prove that sizes halved and doubled fit again."""
    axes = graph.free_sizes.get(name, {})
    return {axis: multiple * torch.export.Dim(f"axis{axis}", min=2, max=4096) for axis, multiple in axes.items()}


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Keep the exporter's remarks about its own innards (torchvision is absent, say) off the terminal."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _check_free_axes(model: onnx.ModelProto, graph: Graph, inputs: list[str]) -> None:
    for value in model.graph.input:
        for axis in (0, *graph.free_sizes.get(value.name, {})):
            size = value.type.tensor_type.shape.dim[axis]
            assert size.dim_param, f"this is a bug: axis {axis} of {value.name} is frozen at {size.dim_value}"
    assert [value.name for value in model.graph.input] == inputs


def strip_traces(model: onnx.ModelProto) -> None:
    """Drop the notes on which source line of which machine made each node: a fifth of the file."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def _name_as_published(model: onnx.ModelProto) -> None:
    """Take the exported module's own prefix from the weights, so that they bear the network's names."""
    for tensor in model.graph.initializer:
        tensor.name = tensor.name.removeprefix(NETWORK)
    for node in model.graph.node:
        node.input[:] = [name.removeprefix(NETWORK) for name in node.input]
