"""Growing a network resolution by resolution (Karras et al. 2018, section 2 and figure 2).

The level of detail, `lod`, is 0 at the full resolution and grows by one a halving. Between two whole numbers the finer
resolution fades in: at lod 1.25 three quarters of the picture come from half resolution, a quarter from a quarter of
it, and the picture has half resolution.
"""
# B batch, C channel, H W picture

import math

import torch.nn.functional as F
from torch import Tensor


def split_lod(lod: float, num_levels: int) -> tuple[int, float]:
    """The index of the finest level in use (0 is 4x4), and the share of the level below it.

    Raises ValueError where `lod` is not from 0 to num_levels - 1.
    """
    if not 0 <= lod <= num_levels - 1:
        raise ValueError(f"lod is {lod}; this network's goes from 0 (full resolution) to {num_levels - 1} (4x4)")
    halvings = math.floor(lod)
    return num_levels - 1 - halvings, lod - halvings


def fade(finer_BCHW: Tensor, coarser_BCHW: Tensor, coarser_share: float) -> Tensor:
    """[B, C, 2H, 2W] and [B, C, H, W] -> their mixture [B, C, 2H, 2W]."""
    return finer_BCHW.lerp(double(coarser_BCHW), coarser_share)


def real_at_lod(img_BCHW: Tensor, lod: float) -> Tensor:
    """A real picture as the generator would draw it at `lod`, so that the discriminator compares like with like."""
    halvings = math.floor(lod)
    for _ in range(halvings):
        img_BCHW = halve(img_BCHW)
    return img_BCHW if lod == halvings else fade(img_BCHW, halve(img_BCHW), lod - halvings)


def double(x_BCHW: Tensor) -> Tensor:
    """Each pixel becomes four."""
    return F.interpolate(x_BCHW, scale_factor=2.0, mode="nearest")


def halve(x_BCHW: Tensor) -> Tensor:
    """Four pixels become their mean."""
    return F.avg_pool2d(x_BCHW, 2)
