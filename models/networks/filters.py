"""Resampling by a small FIR filter: the anti-aliasing of StyleGAN2 (Karras et al. 2020, section 4.2).

A filter of T taps is stored as the T x T outer product with itself, summing to one. Padding is
chosen so that up- and downsampling by two stay aligned with the picture's centre.
"""
# B batch, C channel, H W picture, T taps

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def square_filter(taps: Sequence[float]) -> Tensor:
    """The [T, T] float32 outer product of `taps`, normalised to sum one."""
    taps_T = torch.as_tensor(taps, dtype=torch.float32)
    filter_TT = torch.outer(taps_T, taps_T)
    return filter_TT / filter_TT.sum()


def blur(x_BCHW: Tensor, filter_TT: Tensor, pad: tuple[int, int]) -> Tensor:
    """Filter each channel after zero-padding by `pad` (before, after) on both axes."""
    before, after = pad
    if before != after or before < 0:
        x_BCHW = F.pad(x_BCHW, (before, after, before, after))
        before = 0
    kernel = _depthwise(filter_TT.flip(0, 1), x_BCHW)
    return F.conv2d(x_BCHW, kernel, padding=before, groups=x_BCHW.shape[1])


def upsample(x_BCHW: Tensor, filter_TT: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, 2H, 2W]: zeros between the pixels, then the filter with gain 4."""
    taps = filter_TT.shape[0]
    # The padding of the zero-inserted signal is ((T + 1) // 2, (T - 2) // 2); as a transposed
    # convolution that is a crop at both ends.
    crop_before, crop_after = taps - 1 - (taps + 1) // 2, taps - 2 - (taps - 2) // 2
    kernel = _depthwise(filter_TT * 4, x_BCHW)
    groups = x_BCHW.shape[1]
    if crop_before == crop_after >= 0:
        return F.conv_transpose2d(x_BCHW, kernel, stride=2, padding=crop_before, groups=groups)
    y_BCHW = F.conv_transpose2d(x_BCHW, kernel, stride=2, groups=groups)
    return F.pad(y_BCHW, (-crop_before, -crop_after, -crop_before, -crop_after))


def downsample(x_BCHW: Tensor, filter_TT: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, H/2, W/2]: the filter, then every second pixel."""
    taps = filter_TT.shape[0]
    # Not a strided depthwise convolution: its backward is six times slower on a CPU.
    return blur(x_BCHW, filter_TT, ((taps - 1) // 2, (taps - 2) // 2))[:, :, ::2, ::2]


def _depthwise(filter_TT: Tensor, x_BCHW: Tensor) -> Tensor:
    taps = filter_TT.shape[0]
    return filter_TT.to(x_BCHW.dtype).expand(x_BCHW.shape[1], 1, taps, taps)
