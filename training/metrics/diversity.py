"""How unlike each other the pictures of a set are: the mean MS-SSIM of random pairs (Wang et al. 2003).

A generator that draws few kinds of pictures has a higher one than the pictures that it learnt from (Odena et al. 2017).
"""
# N picture, P pair, C channel, H W picture

import torch
import torch.nn.functional as F
from torch import Tensor

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first, as published; the first ones, made to sum to 1, where pictures are small."""
WINDOW, SIGMA = 11, 1.5
LUMINANCE, CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2
PAIRS = 2000
MINIBATCH = 100


def mean_ms_ssim(pictures_NCHW: Tensor, pairs: int = PAIRS, seed: int = 0) -> float:
    """Mean over random pairs of different pictures: 1 where all are equal. uint8, sides from 11, N from 2."""
    random = torch.Generator().manual_seed(seed)
    count = len(pictures_NCHW)
    first_P = torch.randint(count, (pairs,), generator=random)
    second_P = (first_P + torch.randint(1, count, (pairs,), generator=random)) % count
    parts = [
        ms_ssim(pictures_NCHW[i].float(), pictures_NCHW[j].float())
        for i, j in zip(torch.split(first_P, MINIBATCH), torch.split(second_P, MINIBATCH), strict=True)
    ]
    return float(torch.cat(parts).mean())


def ms_ssim(a_PCHW: Tensor, b_PCHW: Tensor) -> Tensor:
    """[P]: the structural similarity of each pair over as many scales as fit. In 0..255."""
    weights = _weights(a_PCHW.shape[2])
    product = torch.ones(len(a_PCHW))
    for scale, weight in enumerate(weights):
        luminance, contrast = _compared(a_PCHW, b_PCHW)
        last = scale == len(weights) - 1
        likeness = (luminance * contrast if last else contrast).mean(dim=(1, 2, 3))
        # A negative correlation has no fractional power; it counts as none.
        product = product * likeness.clamp_min(0) ** weight
        a_PCHW, b_PCHW = F.avg_pool2d(a_PCHW, 2), F.avg_pool2d(b_PCHW, 2)
    return product


def _weights(side: int) -> list[float]:
    if side < WINDOW:
        raise ValueError(f"pictures of {side} pixels are too small for MS-SSIM; it needs {WINDOW}")
    chosen = [weight for scale, weight in enumerate(WEIGHTS) if side // 2**scale >= WINDOW]
    return [weight / sum(chosen) for weight in chosen]


def _compared(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    mean_a, mean_b = _blurred(a), _blurred(b)
    variance_a, variance_b = _blurred(a * a) - mean_a**2, _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + LUMINANCE) / (mean_a**2 + mean_b**2 + LUMINANCE)
    return luminance, (2 * covariance + CONTRAST) / (variance_a + variance_b + CONTRAST)


def _blurred(x: Tensor) -> Tensor:
    offset = torch.arange(WINDOW) - WINDOW // 2
    taps = torch.exp(-(offset**2) / (2 * SIGMA**2))
    taps, channels = taps / taps.sum(), x.shape[1]
    across = taps.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    return F.conv2d(F.conv2d(x, across, groups=channels), across.transpose(2, 3), groups=channels)
