"""Networks rewritten so that their convolutions stay within float16, and compute what they computed."""
# N batch, D width of w, I O channels, K kernel

import copy
import math

import torch
from torch import Tensor, nn

from models.networks.stylegan2_block import SynthesisLayer, ToRGB

CLAMP = 256.0
"""Of every layer's output, as published (Karras et al. 2020, ADA, appendix C.1): a convolution of 512 such channels
with weights of unit power stays under the largest float16, 65504."""


class LargestStyleOne(nn.Module):
    """The styles of a layer, scaled so that each sample's largest is 1 or -1."""

    def __init__(self, affine: nn.Module) -> None:
        super().__init__()
        self.affine = affine

    def forward(self, w_ND: Tensor) -> Tensor:
        style_NI: Tensor = self.affine(w_ND)
        return style_NI / style_NI.abs().amax(dim=1, keepdim=True)


def within_float16(network: nn.Module) -> nn.Module:
    """The network, or of StyleGAN2 a copy, as it may run in float16.

    StyleGAN2's demodulated convolutions are normalised before they run, styles by their largest and weights by their
    largest and the fan-in; demodulation takes both out again (only its 1e-8 weighs differently). What was unclamped is
    clamped to ±256. The other families normalise their activations or weights as they are.
    """
    if not any(isinstance(module, SynthesisLayer) for module in network.modules()):
        return network
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, SynthesisLayer):
            _normalise(module)
        if isinstance(module, SynthesisLayer | ToRGB) and module.conv_clamp is None:
            module.conv_clamp = CLAMP
    return network


def _normalise(layer: SynthesisLayer) -> None:
    with torch.no_grad():
        largest_O111 = layer.weight.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=torch.finfo().tiny)
        layer.weight.div_(largest_O111 * math.sqrt(layer.weight[0].numel()))
    layer.affine = LargestStyleOne(layer.affine)  # type: ignore[assignment]  # called like what it replaces
