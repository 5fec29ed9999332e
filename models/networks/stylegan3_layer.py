"""One layer of StyleGAN3's synthesis (Karras et al. 2021): modulated convolution, then the filtered leaky ReLU.

Weights are the same for every sample, so that the batch is free: the activations are scaled by the style, and
demodulated by one matrix product.
"""
# B batch, D width of w, I O channels, H W picture, K kernel

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.filtered_leaky import filtered_leaky
from models.networks.layers import LEAKY_GAIN, SMALL, FullyConnected, full_precision, normalise
from models.networks.lowpass import lowpass_filter
from models.networks.short_convolution import conv3x3
from models.networks.stylegan3_schedule import Signal


class SynthesisLayer(nn.Module):
    """Picture of one signal -> picture of the next."""

    magnitude_ema: Tensor
    up_filter: Tensor | None
    down_filter: Tensor | None

    def __init__(
        self,
        w_dim: int,
        source: Signal,
        target: Signal,
        *,
        is_torgb: bool,
        is_critically_sampled: bool,
        conv_kernel: int,
        filter_size: int,
        lrelu_upsampling: int,
        use_radial_filters: bool,
        conv_clamp: float | None,
        magnitude_ema_beta: float,
    ) -> None:
        super().__init__()
        self.is_torgb, self.size = is_torgb, target.size
        self.conv_clamp, self.magnitude_ema_beta = conv_clamp, magnitude_ema_beta
        kernel = 1 if is_torgb else conv_kernel
        self.affine = FullyConnected(w_dim, source.channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(target.channels, source.channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(target.channels))
        self.register_buffer("magnitude_ema", torch.ones(()))
        rate = max(source.rate, target.rate) * (1 if is_torgb else lrelu_upsampling)
        self.up, self.down = round(rate / source.rate), round(rate / target.rate)
        up_taps, down_taps = (1 if is_torgb or step == 1 else filter_size * step for step in (self.up, self.down))
        up_filter = lowpass_filter(up_taps, source.cutoff, 2 * source.half_width, rate, radial=False)
        radial = use_radial_filters and not is_critically_sampled
        down_filter = lowpass_filter(down_taps, target.cutoff, 2 * target.half_width, rate, radial=radial)
        self.register_buffer("up_filter", up_filter)
        self.register_buffer("down_filter", down_filter)
        # What upsampling must add so that the filters and the convolution's rim leave a picture of the target's size,
        # half of it before.
        padding = (target.size - 1) * self.down + 1 - (source.size + kernel - 1) * self.up + up_taps + down_taps - 2
        self.pad_before = (padding + self.up) // 2

    def forward(self, x_BIHW: Tensor, w_BD: Tensor, update_emas: bool = False) -> Tensor:
        """[B, I, H, W], [B, D] -> [B, O, size, size]. `update_emas` moves the running magnitude (training only)."""
        if update_emas:
            magnitude = x_BIHW.detach().float().square().mean()
            self.magnitude_ema.copy_(magnitude.lerp(self.magnitude_ema, self.magnitude_ema_beta))
        if self.is_torgb:
            return self._to_rgb(x_BIHW, w_BD)
        return filtered_leaky(
            self._modulated(x_BIHW, w_BD),
            self.up_filter,
            self.down_filter,
            up=self.up,
            down=self.down,
            pad_before=self.pad_before,
            size=self.size,
            clamp=self.conv_clamp,
        )

    def _modulated(self, x_BIHW: Tensor, w_BD: Tensor) -> Tensor:
        # Demodulation cancels the magnitudes of style and weight, up to its SMALL: both are set before, the style's to
        # one a channel, the weight's to one in all, so that what is summed up stays within float16.
        style_BI = normalise(self.affine(w_BD))
        weight_OIKK = self.weight * self.weight.square().sum(dim=(1, 2, 3), keepdim=True).rsqrt()
        with full_precision(style_BI):
            power_OI = weight_OIKK.square().sum(dim=(2, 3))
            demod_BO = (style_BI.square() @ power_OI.T + SMALL).rsqrt()
        # The leaky ReLU's gain rides on demodulation and bias: it is homogeneous.
        gain_BO = demod_BO * (self.magnitude_ema.rsqrt() * LEAKY_GAIN)
        y = self._convolve(x_BIHW * _per_channel(style_BI, x_BIHW), weight_OIKK)
        bias_1O11 = (self.bias * LEAKY_GAIN).to(y.dtype)[None, :, None, None]
        return torch.addcmul(bias_1O11, y, _per_channel(gain_BO, y))

    def _convolve(self, x_BIHW: Tensor, weight_OIKK: Tensor) -> Tensor:
        # Where gradients flow the direct one is quicker: theirs is made for it.
        if self.weight.shape[2] == 3 and not self.training:
            return conv3x3(x_BIHW, weight_OIKK)
        return F.conv2d(x_BIHW, weight_OIKK, padding=self.weight.shape[2] - 1)

    def _to_rgb(self, x_BIHW: Tensor, w_BD: Tensor) -> Tensor:
        gain = self.magnitude_ema.rsqrt() / math.sqrt(self.weight.shape[1])
        y = F.conv2d(x_BIHW * _per_channel(self.affine(w_BD) * gain, x_BIHW), self.weight, self.bias)
        return y if self.conv_clamp is None else y.clamp(-self.conv_clamp, self.conv_clamp)


def _per_channel(values_BC: Tensor, like: Tensor) -> Tensor:
    return values_BC.to(like.dtype)[:, :, None, None]
