"""A StyleGAN2 generator as two ONNX graphs whose batch is free.

mapping    z [N, z_dim], c [N, c_dim] where there are labels, psi [N, num_ws] -> ws [N, num_ws, w_dim]
synthesis  ws [N, num_ws, w_dim], noise_strength [N] -> picture [N, R, R, 3] uint8, RGB

psi is a truncation per sample and layer, so that jobs with different wishes share a batch. noise_strength 1 is the
noise as trained, 0 is none. Clamping and conversion to bytes happen in the graph: four times fewer bytes leave the
device.
"""
# N batch, L style layer, Z latent, Y label, D width of w, H W picture, C channel

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.networks.stylegan2 import Generator, MappingNetwork, SynthesisNetwork

OPSET = 20
HALF_FROM = 256
"""Tensors with fewer numbers stay float32: they weigh nothing, and biases and gains gain from the precision."""
EXAMPLE_BATCH = 2
"""The exporter takes 0 and 1 for constants of the graph, and 2 for a size that may change."""


class MappingGraph(nn.Module):
    """What the mapping graph computes. Truncation: Karras et al. 2019, section 5 and appendix B."""

    def __init__(self, mapping: MappingNetwork) -> None:
        super().__init__()
        self.mapping = mapping

    def forward(self, z_NZ: Tensor, psi_NL: Tensor, c_NY: Tensor | None = None) -> Tensor:
        ws_NLD = self.mapping(z_NZ, c_NY)
        w_avg_D = self.mapping.w_avg
        truncated: Tensor = w_avg_D + psi_NL[:, :, None] * (ws_NLD - w_avg_D)
        return truncated


class SynthesisGraph(nn.Module):
    """What the synthesis graph computes: a picture in bytes. A grey picture leaves with three equal channels."""

    def __init__(self, synthesis: SynthesisNetwork) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, ws_NLD: Tensor, noise_strength_N: Tensor) -> Tensor:
        x_NCHW = self.synthesis(ws_NLD, noise_mode="const", noise_gain=noise_strength_N[:, None, None, None])
        # [-1, 1] -> 0..255, cut off like the published tools, not rounded
        x_NCHW = (x_NCHW * 127.5 + 128).clamp(0, 255).expand(-1, 3, -1, -1)
        picture: Tensor = x_NCHW.permute(0, 2, 3, 1).to(torch.uint8)
        return picture


def round_to_half(generator: Generator) -> None:
    """Give every parameter the value that the file will hold, so that parity compares like with like."""
    with torch.no_grad():
        for tensor in generator.state_dict().values():
            if tensor.is_floating_point() and tensor.numel() >= HALF_FROM:
                tensor.copy_(tensor.half().float())


def write_mapping(generator: Generator, path: Path) -> None:
    """Write the mapping graph."""
    inputs: dict[str, Tensor] = {
        "z": torch.zeros(EXAMPLE_BATCH, generator.z_dim),
        "psi": torch.ones(EXAMPLE_BATCH, generator.num_ws),
    }
    if generator.c_dim:
        inputs["c"] = torch.zeros(EXAMPLE_BATCH, generator.c_dim)
    _write(MappingGraph(generator.mapping), inputs, "ws", path)


def write_synthesis(generator: Generator, path: Path) -> None:
    """Write the synthesis graph."""
    inputs = {
        "ws": torch.zeros(EXAMPLE_BATCH, generator.num_ws, generator.w_dim),
        "noise_strength": torch.ones(EXAMPLE_BATCH),
    }
    _write(SynthesisGraph(generator.synthesis), inputs, "picture", path)


def _write(module: nn.Module, inputs: dict[str, Tensor], output: str, path: Path) -> None:
    batch = torch.export.Dim("batch", min=1, max=64)
    with _quiet_exporter():
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            # Folding would store products of weights (a demodulation table, say) beside the weights.
            # The runtime folds them when it opens the graph.
            optimize=False,
            verbose=False,
        )
    assert program is not None, "the dynamo exporter returns a program"
    model = program.model_proto
    _check_free_batch(model, list(inputs))
    store_as_half(model)
    _strip_traces(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
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


def _check_free_batch(model: onnx.ModelProto, inputs: Sequence[str]) -> None:
    for value in model.graph.input:
        first = value.type.tensor_type.shape.dim[0]
        assert first.dim_param, f"this is a bug: the exporter froze the batch of {value.name} at {first.dim_value}"
    assert [value.name for value in model.graph.input] == inputs


def _strip_traces(model: onnx.ModelProto) -> None:
    """Drop the notes on which source line of which machine made each node: a fifth of the file."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def store_as_half(model: onnx.ModelProto) -> None:
    """Keep the weights as float16 with a cast behind each: half the download, and float32 arithmetic all the same.

    The runtime folds the casts when it opens the graph.
    """
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < HALF_FROM:
            continue
        name, stored = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(numpy_helper.from_array(values.astype("float16"), stored))
        casts.append(helper.make_node("Cast", [stored], [name], name=f"{name}.widen", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
