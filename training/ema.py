"""The exponential moving average of the generator: what is sampled and shipped."""

import torch
from torch import nn


def ema_decay(images_seen: int, batch: int, half_life_images: int, ramp: float) -> float:
    """The decay of one step. The half-life starts as `ramp` of what was seen, so that the first
    random weights are soon forgotten (Karras et al. 2020, StyleGAN2-ADA's ema_rampup)."""
    half_life = min(half_life_images, images_seen * ramp)
    decay: float = 0.5 ** (batch / max(half_life, 1e-8))
    return decay


@torch.no_grad()
def update_ema(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the parameters of `average` toward those of `model`; copy the buffers."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    for target, source in zip(average.buffers(), model.buffers(), strict=True):
        target.copy_(source)
