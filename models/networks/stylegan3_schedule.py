"""How StyleGAN3's layers widen the band of the signal, step by step (Karras et al. 2021, appendix B and Fig. 4b)."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Signal:
    """What flows between two layers: `size` pixels a side, margins included, at `rate` pixels to the picture's width;
    frequencies below `cutoff` are kept, those over cutoff + half_width are gone."""

    size: int
    channels: int
    rate: float
    cutoff: float
    half_width: float


def schedule(
    img_resolution: int,
    img_channels: int,
    *,
    channel_base: int = 32768,
    channel_max: int = 512,
    num_layers: int = 14,
    num_critical: int = 2,
    first_cutoff: float = 2,
    first_stopband: float = 2**2.1,
    last_stopband_rel: float = 2**0.3,
    margin_size: int = 10,
) -> list[Signal]:
    """The signals behind layer 0, 1, ... num_layers; the last is the picture. Layer 0 is fed one like its own output.

    Raises ValueError for a resolution that is no power of two from 4.
    """
    if img_resolution < 4 or img_resolution & (img_resolution - 1):
        raise ValueError(f"resolution is {img_resolution}; it must be a power of two from 4")
    last_cutoff = img_resolution / 2
    last_stopband = last_cutoff * last_stopband_rel
    signals = []
    for i in range(num_layers + 1):
        # Both edges of the transition band grow geometrically; the critical layers have the last one's.
        progress = min(i / (num_layers - num_critical), 1)
        cutoff = first_cutoff * (last_cutoff / first_cutoff) ** progress
        stopband = first_stopband * (last_stopband / first_stopband) ** progress
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, img_resolution)))
        is_cropped, is_picture = i >= num_layers - 1, i == num_layers
        signal = Signal(
            size=img_resolution if is_cropped else round(rate + 2 * margin_size),
            channels=img_channels if is_picture else round(min(channel_base / 2 / cutoff, channel_max)),
            rate=rate,
            cutoff=cutoff,
            half_width=max(stopband, rate / 2) - cutoff,
        )
        signals.append(signal)
    return signals
