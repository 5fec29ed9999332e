"""Is a translation still its photo? Edges, saturation, and the way back."""
# N picture, C channel, H W picture

import torch.nn.functional as F
from torch import Tensor

from training.translation.pairs import edges


def edge_preservation(photo_NCHW: Tensor, translated_NCHW: Tensor) -> float:
    """Mean correlation of the edges of photo and translation (Sobel's gradient of the luma): 1 same, 0 unrelated.

    Both in -1..1. A correlation does not mind that a painting has softer or harder edges everywhere.
    """
    a, b = (edges(x).flatten(1) for x in (photo_NCHW, translated_NCHW))
    a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
    return float(F.cosine_similarity(a, b, dim=1).mean())


def saturation_kept(photo_NCHW: Tensor, translated_NCHW: Tensor) -> float:
    """Mean saturation of the translations over that of the photos: below 1, colours are washed out. Both in -1..1."""
    return float(_chroma(translated_NCHW) / _chroma(photo_NCHW).clamp_min(1e-8))


def cycle_l1(photo_NCHW: Tensor, returned_NCHW: Tensor) -> float:
    """Mean |difference| between photos and what came back of them, in levels of 0..255. Both in -1..1."""
    return float((photo_NCHW - returned_NCHW).abs().mean() * 127.5)


def _chroma(x_NCHW: Tensor) -> Tensor:
    # Largest minus smallest channel: HSV's saturation without its division, which makes noise of black.
    return (x_NCHW.amax(dim=1) - x_NCHW.amin(dim=1)).mean()
