"""Layers of Progressive GAN and StyleGAN: equalised learning rate, under the published tensor names.

Weights are stored with unit variance and scaled at run time by `gain / sqrt(fan_in)` (Karras et al. 2018, section
4.1). Unlike StyleGAN2's layers (layers.py) the gain is the weight's alone: biases do not carry it.
"""
# B batch, F feature, I input channel, O output channel, H W picture, K kernel

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.layers import LEAKY_GAIN, LEAKY_SLOPE


class Bias(nn.Module):
    """The place of a bias, named `wscale.bias` in published files."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(features))


class EqualisedWeight(nn.Module):
    """The place of a weight, and its gain: `linear.weight` or `conv.weight` in published files."""

    def __init__(self, *shape: int, gain: float = LEAKY_GAIN, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape) / lr_multiplier)
        self.gain = gain * lr_multiplier / math.sqrt(math.prod(shape[1:]))

    def scaled(self) -> Tensor:
        """The weight that the layer multiplies by."""
        return self.weight * self.gain


class Dense(nn.Module):
    """`activation(x @ W.T + b)`, [B, F] -> [B, O]; tensors `linear.weight` and `wscale.bias`."""

    def __init__(
        self, in_features: int, out_features: int, *, activation: str = "linear", lr_multiplier: float = 1.0
    ) -> None:
        super().__init__()
        self.is_leaky, self.lr_multiplier = activation == "lrelu", lr_multiplier
        gain = LEAKY_GAIN if self.is_leaky else 1.0
        self.linear = EqualisedWeight(out_features, in_features, gain=gain, lr_multiplier=lr_multiplier)
        self.wscale = Bias(out_features)

    def forward(self, x_BF: Tensor) -> Tensor:
        y_BO = F.linear(x_BF, self.linear.scaled(), self.wscale.bias * self.lr_multiplier)
        return F.leaky_relu(y_BO, LEAKY_SLOPE) if self.is_leaky else y_BO


class Convolving(nn.Module):
    """A layer whose first step is a convolution of gain sqrt 2; where `up`, its output is twice as large.

    The weight is `conv.weight` [O, I, K, K], but `weight` [K, K, I, O] where upsampling is `fused`: such files hold
    the kernel of the transposed convolution, flipped against the other layout.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, *, up: bool = False, fused: bool = False
    ) -> None:
        super().__init__()
        self.is_up, self.is_fused, self.padding = up, fused, kernel_size // 2
        if fused:
            self.weight = nn.Parameter(torch.randn(kernel_size, kernel_size, in_channels, out_channels))
            self.gain = LEAKY_GAIN / math.sqrt(in_channels * kernel_size**2)
        else:
            self.conv = EqualisedWeight(out_channels, in_channels, kernel_size, kernel_size)

    def convolve(self, x_BIHW: Tensor, bias_O: Tensor | None = None) -> Tensor:
        """[B, I, H, W] -> [B, O, H, W], or [B, O, 2H, 2W]."""
        if not self.is_up:
            return F.conv2d(x_BIHW, self.conv.scaled(), bias_O, padding=self.padding)
        weight_OIKK = self._transposed_weight()
        return F.conv_transpose2d(x_BIHW, doubling_kernel(weight_OIKK).transpose(0, 1), bias_O, stride=2, padding=1)

    def _transposed_weight(self) -> Tensor:
        if self.is_fused:
            return self.weight.permute(3, 2, 0, 1) * self.gain
        return self.conv.scaled().flip(2, 3)


def doubling_kernel(weight_OI33: Tensor) -> Tensor:
    """[O, I, 3, 3] -> [O, I, 4, 4]: the sum of the four kernels shifted by a pixel.

    A transposed convolution of stride 2 with it is nearest-neighbour upsampling, then convolution with the flipped
    3x3 kernel, at under half the multiplications.
    """
    wide = F.pad(weight_OI33, (1, 1, 1, 1))
    return wide[:, :, 1:, 1:] + wide[:, :, 1:, :-1] + wide[:, :, :-1, 1:] + wide[:, :, :-1, :-1]


def channels_at(img_resolution: int, channels: Sequence[int] | None) -> list[int]:
    """The channels at 4, 8, ... img_resolution: those given, or where None those published (8192 at 2x2, at most 512).

    Raises ValueError where their number is not that of the resolutions.
    """
    exponents = range(2, img_resolution.bit_length())
    if channels is None:
        return [min(2**14 // 2**exponent, 512) for exponent in exponents]
    if len(channels) != len(exponents):
        raise ValueError(
            f"channels are {list(channels)}; a picture of {img_resolution} needs {len(exponents)}, one for 4, 8, ..."
        )
    return list(channels)
