"""Layers that the StyleGAN family shares: equalised learning rate, leaky ReLU of unit gain.

Weights are stored with unit variance and scaled at run time (Karras et al. 2018, section 4.1).
"""
# B batch, F feature, I input channel, O output channel, H W picture, K kernel

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.filters import blur, downsample, square_filter, upsample

LEAKY_SLOPE = 0.2
LEAKY_GAIN = math.sqrt(2)
SMALL = 1e-8


def normalise(x_BF: Tensor) -> Tensor:
    """Scale each row to unit mean square; of a picture each pixel (Karras et al. 2018, section 4.2)."""
    return x_BF * (x_BF.square().mean(dim=1, keepdim=True) + SMALL).rsqrt()


def leaky(x: Tensor, clamp: float | None = None) -> Tensor:
    """Leaky ReLU without its gain of sqrt 2: it is positively homogeneous, so that callers fold
    the gain into the weights and save a pass over the picture."""
    x = F.leaky_relu(x, LEAKY_SLOPE)
    # hardtanh is clamp with a backward of one pass instead of four.
    return x if clamp is None else F.hardtanh(x, -clamp, clamp)


def full_precision(x: Tensor) -> AbstractContextManager[object]:
    """A context in which autocast leaves `x` alone: small products that set the gain of a layer."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.autocast(x.device.type, enabled=False)
    return nullcontext()


class FullyConnected(nn.Module):
    """`activation(x @ W.T + b)`, [B, F] -> [B, O], always in float32."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        activation: str = "linear",
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), bias_init / lr_multiplier))
        self.is_leaky = activation == "lrelu"
        gain = LEAKY_GAIN if self.is_leaky else 1.0
        self.weight_gain = gain * lr_multiplier / math.sqrt(in_features)
        self.bias_gain = gain * lr_multiplier

    def forward(self, x_BF: Tensor) -> Tensor:
        with full_precision(x_BF):
            y_BO = F.linear(x_BF.float(), self.weight * self.weight_gain, self.bias * self.bias_gain)
            return leaky(y_BO) if self.is_leaky else y_BO


class ResampledConv(nn.Module):
    """A plain convolution, by `up` 2 or `down` 2 with anti-aliasing: [B, I, H, W] -> [B, O, ...]."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        bias: bool = True,
        activation: str = "linear",
        up: int = 1,
        down: int = 1,
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.register_buffer("resample_filter", square_filter(resample_filter))
        self.up, self.down, self.padding = up, down, kernel_size // 2
        self.is_leaky = activation == "lrelu"
        self.conv_clamp = conv_clamp
        self.weight_gain = 1 / math.sqrt(in_channels * kernel_size**2)

    def forward(self, x_BIHW: Tensor, gain: float = 1.0) -> Tensor:
        """`gain` multiplies the output and its clamp (a residual branch has sqrt 0.5)."""
        total_gain = gain * LEAKY_GAIN if self.is_leaky else gain
        weight_OIKK = self.weight * (self.weight_gain * total_gain)
        bias_O = None if self.bias is None else self.bias * total_gain
        y_BOHW = self._convolve(x_BIHW, weight_OIKK, bias_O)
        clamp = None if self.conv_clamp is None else self.conv_clamp * gain
        if self.is_leaky:
            return leaky(y_BOHW, clamp)
        return y_BOHW if clamp is None else y_BOHW.clamp(-clamp, clamp)

    def _convolve(self, x_BIHW: Tensor, weight_OIKK: Tensor, bias_O: Tensor | None) -> Tensor:
        if self.up == 2:
            # Only the 1x1 skip of the resnet generator comes here; 3x3 is in stylegan2.py.
            return upsample(F.conv2d(x_BIHW, weight_OIKK, bias_O), self.resample_filter)
        if self.down == 1:
            return F.conv2d(x_BIHW, weight_OIKK, bias_O, padding=self.padding)
        if self.padding == 0:
            return F.conv2d(downsample(x_BIHW, self.resample_filter), weight_OIKK, bias_O)
        taps = self.resample_filter.shape[0]
        pad = (self.padding + (taps - 1) // 2, self.padding + (taps - 2) // 2)
        return F.conv2d(blur(x_BIHW, self.resample_filter, pad), weight_OIKK, bias_O, stride=2)
