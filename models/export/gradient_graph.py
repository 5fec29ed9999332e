"""The graph of a gradient: ws and a face in, the loss of the picture and its derivative by ws out.

A runtime for inference has no autograd. So the derivative is traced here, once, as plain operations of a graph whose
weights are constants (docs/decisions/0014): only the gradient of a convolution by its input is needed, and that is a
transposed convolution with the same weight.
"""
# L style layer, D width of w, R side of the picture, C channel

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from models.engines.onnx_engine import OnnxEngine
from models.errors import ModelRefused
from models.export.graphs import RGB
from models.export.onnx_graph import OPSET, quiet_exporter, save_graph, strip_traces
from models.networks.encoder import EncoderNetwork, halved

SMALLEST = 8
"""Side of the smallest pictures that are compared."""
FEATURES = 0.05
"""Weight of what the encoder sees beside the pixels, both as mean squares."""
MOST_DIFFERENCE = 1e-4
"""Of the graph's gradient from PyTorch's, as a share of the largest."""

Gradient = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def face_loss(drawn_1CRR: Tensor, face_1CRR: Tensor, encoder: EncoderNetwork | None) -> Tensor:
    """Mean squared difference of pixels in -1..1 at every size down to SMALLEST, and of an encoder's features."""
    total, sizes = drawn_1CRR.new_zeros(()), 0
    drawn, face = drawn_1CRR, face_1CRR
    while drawn.shape[-1] >= SMALLEST:
        total, sizes = total + (drawn - face).square().mean(), sizes + 1
        drawn, face = halved(drawn), halved(face)
    total = total / max(sizes, 1)
    if encoder is None:
        return total
    pairs = zip(encoder.features(drawn_1CRR), encoder.features(face_1CRR), strict=True)
    return total + FEATURES * sum(((one - other).square().sum(1).mean() for one, other in pairs), start=total * 0)


def gradient_of(generator: Any, encoder: EncoderNetwork | None) -> Gradient:
    """(ws [1, L, D], picture [1, R, R, 3] uint8) -> (gradient [1, L, D], loss [1])."""

    def loss(ws_1LD: Tensor, picture_1RRC: Tensor) -> Tensor:
        drawn = generator.synthesis(ws_1LD, noise_mode="const")
        return face_loss(_as_rgb(drawn), picture_1RRC.permute(0, 3, 1, 2).float() / 127.5 - 1, encoder)

    def gradient(ws_1LD: Tensor, picture_1RRC: Tensor) -> tuple[Tensor, Tensor]:
        by_ws_1LD, value = torch.func.grad_and_value(loss)(ws_1LD, picture_1RRC)
        return by_ws_1LD, value.reshape(1)

    return gradient


def write_gradient(generator: Any, encoder: EncoderNetwork | None, path: Path) -> None:
    """Trace, check against PyTorch, and write. Raises ModelRefused for a network whose derivative cannot be drawn."""
    generator = copy.deepcopy(generator).eval().requires_grad_(False)
    encoder = None if encoder is None else copy.deepcopy(encoder).eval().requires_grad_(False)
    gradient = gradient_of(generator, encoder)
    inputs = _example(generator)
    model = _drawn(gradient, inputs)
    # Of a model as it is stored, float16 holds what it held before, and only that.
    save_graph(model, path, exact=True)
    _check(gradient, inputs, path)


def _drawn(gradient: Gradient, inputs: tuple[Tensor, Tensor]) -> Any:
    with quiet_exporter():
        traced = make_fx(gradient, decomposition_table=_decompositions())(*inputs)
        program = torch.onnx.export(
            traced.eval(),
            inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=["ws", "picture"],
            output_names=["gradient", "loss"],
            optimize=False,
            verbose=False,
        )
    assert program is not None, "the dynamo exporter returns a program"
    model = program.model_proto
    strip_traces(model)
    return model


def _example(generator: Any) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    side = generator.img_resolution
    ws_1LD = torch.randn(1, generator.num_ws, generator.w_dim, generator=random) * 0.3
    return ws_1LD, torch.randint(0, 256, (1, side, side, RGB), dtype=torch.uint8, generator=random)


def _check(gradient: Gradient, inputs: tuple[Tensor, Tensor], path: Path) -> None:
    """Raises ModelRefused where the file does not compute what PyTorch does."""
    engine = OnnxEngine(path, "cpu", batch_sizes=(1,))
    try:
        found = engine.run({"ws": inputs[0].numpy(), "picture": inputs[1].numpy()})
    finally:
        engine.close()
    expected = gradient(*inputs)[0].numpy()
    off = float(np.abs(found["gradient"] - expected).max() / max(np.abs(expected).max(), 1e-12))
    if not off <= MOST_DIFFERENCE:
        path.unlink()
        raise ModelRefused(f"The gradient graph is off by {off:.2g} of its largest value; it was not written.")


def _decompositions() -> dict[Any, Any]:
    table: dict[Any, Any] = dict(torch._decomp.core_aten_decompositions())
    table[torch.ops.aten.convolution_backward.default] = _convolution_backward
    return table


def _convolution_backward(  # noqa: PLR0917  # the operator's own order
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    _bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    _output_padding: Sequence[int],
    groups: int,
    wanted: Sequence[bool],
) -> tuple[Tensor, None, None]:
    """By the input alone: a convolution for a transposed one, and the other way round."""
    if wanted[1] or wanted[2]:
        raise ModelRefused("this is a bug: the gradient of a frozen weight was asked for")
    if transposed:
        whole = torch.ops.aten.convolution(grad, weight, None, stride, padding, dilation, False, [0, 0], groups)
        return whole, None, None
    if set(stride) | set(dilation) == {1}:
        # A convolution again, with the weight turned round: runtimes for inference are far slower at transposed ones.
        turned = _by_output(weight, groups).flip(2, 3)
        around = [weight.shape[i + 2] - 1 - padding[i] for i in range(2)]
        back = torch.ops.aten.convolution(grad, turned, None, stride, around, dilation, False, [0, 0], groups)
        return back, None, None
    reached = [
        (grad.shape[i + 2] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (weight.shape[i + 2] - 1) + 1
        for i in range(2)
    ]
    left_over = [x.shape[i + 2] - reached[i] for i in range(2)]
    back = torch.ops.aten.convolution(grad, weight, None, stride, padding, dilation, True, left_over, groups)
    return back, None, None


def _by_output(weight: Tensor, groups: int) -> Tensor:
    """[Out, In / groups, h, w] -> [In, Out / groups, h, w]."""
    outputs, inputs, height, width = weight.shape
    by_group = weight.reshape(groups, outputs // groups, inputs, height, width)
    return by_group.transpose(1, 2).reshape(groups * inputs, outputs // groups, height, width)


def _as_rgb(x_1CRR: Tensor) -> Tensor:
    """Grey as three equal channels; opacity over white."""
    if x_1CRR.shape[1] == RGB + 1:
        opacity = (x_1CRR[:, RGB:] + 1) / 2
        return x_1CRR[:, :RGB] * opacity + (1 - opacity)
    return x_1CRR.expand(-1, RGB, -1, -1)
