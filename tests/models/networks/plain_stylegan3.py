"""StyleGAN3's filtered leaky ReLU and modulated convolution as their definitions read: what ours must equal."""
# B batch, C channel, H W picture, T taps, I O channels, K kernel

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.stylegan3_layer import SynthesisLayer


def plain_filtered_leaky(
    x_BCHW: Tensor,
    up_filter_T: Tensor | None,
    down_filter: Tensor | None,
    *,
    up: int,
    down: int,
    pad_before: int,
    size: int,
    clamp: float | None,
) -> Tensor:
    """Explicit zeros, padding, the whole filter at the full rate, and most of the result thrown away."""
    channels, height = x_BCHW.shape[1:3]
    taps = [1 if filter_ is None else filter_.shape[0] for filter_ in (up_filter_T, down_filter)]
    between = (size - 1) * down + sum(taps) - 1
    x = F.pad(x_BCHW.reshape(-1, channels, height, 1, height, 1), (0, up - 1, 0, 0, 0, up - 1))
    x = x.reshape(-1, channels, height * up, height * up)
    pad_after = between - height * up - pad_before
    x = F.pad(x, (pad_before, pad_after, pad_before, pad_after))
    x = filtered(x, None if up_filter_T is None else up_filter_T * up)
    x = F.leaky_relu(x, 0.2)
    if clamp is not None:
        x = x.clamp(-clamp, clamp)
    return filtered(x, down_filter)[:, :, ::down, ::down]


def filtered(x_BCHW: Tensor, filter_: Tensor | None) -> Tensor:
    """Each channel convolved (not correlated) with [T, T], or with [T] along both axes."""
    if filter_ is None:
        return x_BCHW
    if filter_.ndim == 1:
        filter_ = torch.outer(filter_, filter_)
    kernel = filter_.flip(0, 1).expand(x_BCHW.shape[1], 1, -1, -1)
    return F.conv2d(x_BCHW, kernel, groups=x_BCHW.shape[1])


def plain_layer(layer: SynthesisLayer, x_BIHW: Tensor, w_BD: Tensor) -> Tensor:
    """Weights of its own for each sample, each sample by itself."""
    pictures = []
    for x, w in zip(x_BIHW, w_BD, strict=True):
        style = w @ (layer.affine.weight / w.shape[0] ** 0.5).T + layer.affine.bias
        weight = layer.weight * style[None, :, None, None]
        if layer.is_torgb:
            weight = weight / layer.weight.shape[1] ** 0.5
        else:
            weight = weight / weight.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
        weight = weight / layer.magnitude_ema.sqrt()
        y = F.conv2d(x[None], weight, padding=weight.shape[2] - 1) + layer.bias[:, None, None]
        pictures.append(y.clamp(-256, 256) if layer.is_torgb else y * 2**0.5)
    y_BOHW = torch.cat(pictures)
    if layer.is_torgb:
        return y_BOHW
    return plain_filtered_leaky(
        y_BOHW,
        layer.up_filter,
        layer.down_filter,
        up=layer.up,
        down=layer.down,
        pad_before=layer.pad_before,
        size=layer.size,
        clamp=layer.conv_clamp,
    )
