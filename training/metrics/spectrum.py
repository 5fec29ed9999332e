"""How power falls with frequency: photographs near 1 / f^2; blur falls faster, noise and checkerboards slower."""
# N picture, C channel, H W picture, K frequency

from dataclasses import dataclass

import torch
from torch import Tensor

LOWEST = 3
HIGHEST = 3 / 8
"""Frequencies of the fit: from 3 waves a picture to three quarters of what pixels can hold."""
MINIBATCH = 256


@dataclass(frozen=True)
class Spectrum:
    """power: [K], mean power of the luma in decibels at 1, 2, ... waves a picture."""

    power: Tensor

    @property
    def slope(self) -> float:
        """The exponent of a power law, fitted in the logarithm."""
        highest = int(2 * len(self.power) * HIGHEST)
        waves = torch.arange(LOWEST, highest + 1)
        x, y = waves.float().log10(), self.power[LOWEST - 1 : highest] / 10
        x, y = x - x.mean(), y - y.mean()
        return float((x * y).sum() / (x * x).sum())


def spectrum(pictures_NCHW: Tensor) -> Spectrum:
    """Of uint8 pictures [N, 3, R, R], each without its mean and under a Hann window."""
    side = pictures_NCHW.shape[2]
    window = torch.hann_window(side, periodic=False)
    total = torch.zeros(side, side)
    for part in torch.split(pictures_NCHW, MINIBATCH):
        luma = part.float().mean(dim=1)
        luma = (luma - luma.mean(dim=(1, 2), keepdim=True)) * torch.outer(window, window)
        total += torch.fft.fft2(luma).abs().square().sum(dim=0)
    waves = torch.fft.fftfreq(side, 1 / side)
    ring = torch.hypot(waves[:, None], waves[None]).round().long().flatten()
    power = torch.zeros(int(ring.max()) + 1).index_add_(0, ring, total.flatten()) / torch.bincount(ring)
    return Spectrum(10 * (power[1 : side // 2 + 1] / len(pictures_NCHW) + 1e-9).log10())


def difference(a: Spectrum, b: Spectrum) -> float:
    """Mean difference over the frequencies, in decibels."""
    return float((a.power - b.power).abs().mean())
