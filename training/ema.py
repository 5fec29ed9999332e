"""The exponential moving average of the generator: what is sampled and shipped."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


def ema_decay(images_seen: int, batch: int, half_life_images: int, ramp: float) -> float:
    """The decay of one step. The half-life starts as `ramp` of what was seen, so that the first
    random weights are soon forgotten (Karras et al. 2020, StyleGAN2-ADA's ema_rampup)."""
    half_life = min(half_life_images, images_seen * ramp)
    decay: float = 0.5 ** (batch / max(half_life, 1e-8))
    return decay


@torch.no_grad()
def refresh_statistics(network: nn.Module, batches: Iterable[Sequence[Tensor | None]]) -> None:
    """Take the running means and variances of every batch norm anew, over these inputs to the network.

    Those of an averaged network belong to weights that it does not have.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        # None: every batch counts alike.
        norm.momentum = None
        norm.train()
    for inputs in batches:
        network(*inputs)
    for norm in norms:
        norm.momentum = 0.1
        norm.eval()


@torch.no_grad()
def update_ema(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the parameters of `average` toward those of `model`; copy the buffers."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    for target, source in zip(average.buffers(), model.buffers(), strict=True):
        target.copy_(source)
