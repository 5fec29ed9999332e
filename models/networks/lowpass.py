"""The low-pass filters of a StyleGAN3 that is not loaded (Karras et al. 2021, appendix C): Kaiser-windowed.

A published checkpoint stores its filters, and those are the ones to use: this is for networks trained from nothing.
"""
# T taps

import math

import torch
from torch import Tensor


def lowpass_filter(taps: int, cutoff: float, width: float, rate: float, *, radial: bool) -> Tensor | None:
    """[taps], or [taps, taps] where `radial`, summing to one; None for a single tap, which filters nothing.

    Passes what is below `cutoff`; `width` is that of the transition band, both in the units of `rate`.
    """
    if taps == 1:
        return None
    window_T = torch.kaiser_window(taps, periodic=False, beta=_kaiser_beta(taps, 2 * width / rate), dtype=torch.float64)
    position_T = (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / rate
    if radial:
        radius_TT = torch.hypot(position_T[:, None], position_T[None, :])
        filter_ = _jinc(2 * cutoff * radius_TT) * torch.outer(window_T, window_T)
    else:
        filter_ = torch.sinc(2 * cutoff * position_T) * window_T
    return (filter_ / filter_.sum()).float()


def _kaiser_beta(taps: int, width: float) -> float:
    """Kaiser's formulas: the attenuation that `taps` reach over `width` (1 is half the rate), and the window for it."""
    attenuation = 2.285 * (taps - 1) * math.pi * width + 7.95
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return float(0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21))
    return 0.0


def _jinc(x: Tensor) -> Tensor:
    """J1(pi x) / (pi x / 2), 1 at 0: what sinc is on a line, on a disc."""
    angle = math.pi * x.clamp(min=1e-9)
    jinc: Tensor = 2 * torch.special.bessel_j1(angle) / angle
    return jinc
