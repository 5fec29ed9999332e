"""One resolution of StyleGAN2's generator (Karras et al. 2020): modulated convolutions and their block.

Modulated convolutions are written with constant weights: the activations are scaled by the style, convolved with the
shared weight and demodulated by one matrix product. That equals convolving with per-sample weights, and leaves a graph
whose batch is free.
"""
# B batch, D width of w, L style layer, I O channels, H W picture, K kernel

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.filters import blur, square_filter, upsample
from models.networks.layers import LEAKY_GAIN, SMALL, FullyConnected, ResampledConv, full_precision, leaky


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution (`up` 2 doubles the picture), noise, bias, leaky ReLU."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        resolution: int,
        *,
        up: int = 1,
        kernel_size: int = 3,
        use_noise: bool = True,
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.resolution, self.up, self.conv_clamp = resolution, up, conv_clamp
        self.use_noise, self.padding = use_noise, kernel_size // 2
        self.affine = FullyConnected(w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("resample_filter", square_filter(resample_filter))
        if use_noise:
            self.register_buffer("noise_const", torch.randn(resolution, resolution))
            self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(
        self,
        x_BIHW: Tensor,
        w_BD: Tensor,
        *,
        noise_mode: str = "random",
        noise_B1HW: Tensor | None = None,
        noise_gain: Tensor | float = 1.0,
        gain: float = 1.0,
    ) -> Tensor:
        style_BI = self.affine(w_BD)
        total_gain = LEAKY_GAIN * gain
        demod_BO = self._demodulation(style_BI) * total_gain
        y = self._convolve(x_BIHW * style_BI[:, :, None, None].to(x_BIHW.dtype))
        # The layer's gain rides on demodulation, noise and bias (leaky ReLU is homogeneous).
        bias_1O11 = (self.bias * total_gain).to(y.dtype)[None, :, None, None]
        y = torch.addcmul(bias_1O11, y, demod_BO.to(y.dtype)[:, :, None, None])
        noise = self._noise(x_BIHW, noise_mode, noise_B1HW)
        if noise is not None:
            y = y + (noise * (self.noise_strength * total_gain * noise_gain)).to(y.dtype)
        return leaky(y, None if self.conv_clamp is None else self.conv_clamp * gain)

    def _demodulation(self, style_BI: Tensor) -> Tensor:
        # Karras et al. 2020, Eq. 3, as one matrix product.
        with full_precision(style_BI):
            power_OI = self.weight.square().sum(dim=(2, 3))
            demod_BO: Tensor = (style_BI.square() @ power_OI.T + SMALL).rsqrt()
            return demod_BO

    def _convolve(self, x_BIHW: Tensor) -> Tensor:
        if self.up == 1:
            return F.conv2d(x_BIHW, self.weight, padding=self.padding)
        y = F.conv_transpose2d(x_BIHW, self.weight.transpose(0, 1), stride=2)
        taps, kernel = self.resample_filter.shape[0], self.weight.shape[2]
        before = self.padding + (taps + 1) // 2 - (kernel - 1)
        after = self.padding + (taps - 2) // 2 - (kernel - 2)
        return blur(y, self.resample_filter * 4, (before, after))

    def _noise(self, x: Tensor, noise_mode: str, noise_B1HW: Tensor | None) -> Tensor | None:
        if not self.use_noise or noise_mode == "none":
            return None
        if noise_B1HW is not None:
            return noise_B1HW
        if noise_mode == "const":
            return self.noise_const
        size = (x.shape[0], 1, self.resolution, self.resolution)
        return torch.randn(size, device=x.device)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution without demodulation: [B, I, H, W] -> [B, img_channels, H, W]."""

    def __init__(self, in_channels: int, out_channels: int, w_dim: int, conv_clamp: float | None = None) -> None:
        super().__init__()
        self.conv_clamp = conv_clamp
        self.affine = FullyConnected(w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x_BIHW: Tensor, w_BD: Tensor) -> Tensor:
        style_BI = self.affine(w_BD) * self.weight_gain
        x_BIHW = x_BIHW * style_BI[:, :, None, None].to(x_BIHW.dtype)
        y = F.conv2d(x_BIHW, self.weight, self.bias)
        return y.float() if self.conv_clamp is None else y.float().clamp(-self.conv_clamp, self.conv_clamp)


class SynthesisBlock(nn.Module):
    """All layers of one resolution; the first block starts from a learned constant."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        resolution: int,
        img_channels: int,
        *,
        is_last: bool,
        architecture: str = "skip",
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        conv_clamp: float | None = 256,
        use_noise: bool = True,
    ) -> None:
        super().__init__()
        self.is_first, self.is_resnet = in_channels == 0, architecture == "resnet"
        self.register_buffer("resample_filter", square_filter(resample_filter))
        layer: dict[str, Any] = {
            "use_noise": use_noise,
            "resample_filter": resample_filter,
            "conv_clamp": conv_clamp,
        }
        if self.is_first:
            self.const = nn.Parameter(torch.randn(out_channels, resolution, resolution))
        else:
            self.conv0 = SynthesisLayer(in_channels, out_channels, w_dim, resolution, up=2, **layer)
        self.conv1 = SynthesisLayer(out_channels, out_channels, w_dim, resolution, **layer)
        self.has_torgb = is_last or architecture == "skip"
        if self.has_torgb:
            self.torgb = ToRGB(out_channels, img_channels, w_dim, conv_clamp)
        if self.is_resnet and not self.is_first:
            self.skip = ResampledConv(in_channels, out_channels, 1, bias=False, up=2, resample_filter=resample_filter)
        self.num_conv = 1 if self.is_first else 2

    def forward(
        self, x: Tensor | None, img: Tensor | None, ws_BLD: Tensor, **noise: Any
    ) -> tuple[Tensor, Tensor | None]:
        """`noise`: the noise arguments of SynthesisLayer, `noise` itself one tensor per layer."""
        given: Sequence[Tensor | None] = noise.pop("noise", None) or (None, None)
        y = self._features(x, ws_BLD, given, noise)
        if img is not None:
            img = upsample(img, self.resample_filter)
        if self.has_torgb:
            rgb = self.torgb(y, ws_BLD[:, self.num_conv])
            img = rgb if img is None else img + rgb
        return y, img

    def _features(
        self,
        x: Tensor | None,
        ws_BLD: Tensor,
        given: Sequence[Tensor | None],
        noise: Mapping[str, Any],
    ) -> Tensor:
        if x is None:
            const = self.const.unsqueeze(0).expand(ws_BLD.shape[0], -1, -1, -1)
            first: Tensor = self.conv1(const, ws_BLD[:, 0], noise_B1HW=given[0], **noise)
            return first
        gain = math.sqrt(0.5) if self.is_resnet else 1.0
        y = self.conv0(x, ws_BLD[:, 0], noise_B1HW=given[0], **noise)
        y = self.conv1(y, ws_BLD[:, 1], noise_B1HW=given[1], gain=gain, **noise)
        features: Tensor = self.skip(x, gain=gain) + y if self.is_resnet else y
        return features
