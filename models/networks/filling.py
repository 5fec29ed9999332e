"""A hole filled smoothly with the colours around it: what a network that fills is shown, and what it has to better."""
# N batch, C channel, H W picture

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 6
"""How often a picture is halved at the most; what is then unknown still takes the mean of all that is known."""
MULTIPLE = 2**LEVELS


def smooth_fill(picture_NCHW: Tensor, hole_N1HW: Tensor, levels: int | None = None) -> Tensor:
    """The picture with its holes (1) filled by the colours around them, smoothly, with no network at all.

    Halved again and again, each time by the mean of what is known; then back up, every hole taking what the next
    smaller picture has there (Gortler et al. 1996, "pull-push"). levels: how often, 2**levels dividing both sides;
    None: LEVELS, or as often as the sides can be halved.
    """
    if levels is None:
        levels = LEVELS
        while picture_NCHW.shape[2] % 2**levels or picture_NCHW.shape[3] % 2**levels:
            levels -= 1
    known = 1 - hole_N1HW
    kept = picture_NCHW * known
    if levels == 0:
        mean = kept.sum(dim=(2, 3), keepdim=True) / known.sum(dim=(2, 3), keepdim=True).clamp_min(1)
        return kept + mean * hole_N1HW
    share = F.avg_pool2d(known, 2)
    half = F.avg_pool2d(kept, 2) / share.clamp_min(1e-6)
    below = smooth_fill(half, (share == 0).to(half.dtype), levels - 1)
    return kept + F.interpolate(below, scale_factor=2.0, mode="bilinear") * hole_N1HW


def fill_given(given_N4HW: Tensor, levels: int | None = None) -> Tensor:
    """The input of a network that fills, its hole filled smoothly: three channels in -1..1, whatever stands in the
    hole, and the mask, above 0 in the hole -> the same shape."""
    hole = (given_N4HW[:, 3:] > 0).to(given_N4HW.dtype)
    return torch.cat([smooth_fill(given_N4HW[:, :3], hole, levels), given_N4HW[:, 3:]], dim=1)
