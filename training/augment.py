"""Differentiable augmentation of what the discriminator sees, real and generated alike.

Zhao et al. 2020 ("DiffAugment"): small data sets are memorised unless the discriminator sees them
altered, and the generator must then be trained through the same alterations. Every step is twice
differentiable, because R1 needs the gradient of a gradient.
The pipes of Karras et al. 2020a stand beside them (augment_pipe.py).
"""
# B batch, C channel, H W picture

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from training.augment_pipe import PIPES
from training.draws import ALONE, Draws

SHIFT_SHARE = 1 / 8
CUTOUT_SHARE = 1 / 2


def augment(x_BCHW: Tensor, steps: Sequence[str], probability: float = 1.0, draws: Draws = ALONE) -> Tensor:
    """Apply the named steps of STEPS and PIPES in turn, each to a sample with `probability`. Keeps shape and type."""
    if not steps or probability == 0:
        return x_BCHW
    for step in steps:
        if step in PIPES:
            x_BCHW = PIPES[step](x_BCHW, probability, draws)
            continue
        altered = STEPS[step](x_BCHW, draws)
        chosen = _per_sample(x_BCHW, draws) < probability if probability < 1 else None
        x_BCHW = altered if chosen is None else torch.where(chosen, altered, x_BCHW)
    return x_BCHW.contiguous(memory_format=torch.channels_last)


def mirror_half(x_BCHW: Tensor, draws: Draws = ALONE) -> Tensor:
    """Mirror each sample left to right with probability one half."""
    flipped = _per_sample(x_BCHW, draws) < 0.5
    return torch.where(flipped, x_BCHW.flip(3), x_BCHW)


def colour(x: Tensor, draws: Draws = ALONE) -> Tensor:
    """Brightness by -0.5..0.5, saturation by 0..2, contrast by 0.5..1.5."""
    x = x + (_per_sample(x, draws) - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (_per_sample(x, draws) * 2)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (_per_sample(x, draws) + 0.5)


def translation(x: Tensor, draws: Draws = ALONE) -> Tensor:
    """Move by up to an eighth of the picture, filling with grey (0).

    As a product with two 0/1 matrices: its second derivative is exact, and cheaper on a CPU than
    the scatter-add that indexing leaves behind.
    """
    return _shift_matrix(x, 2, draws) @ x @ _shift_matrix(x, 3, draws).transpose(2, 3)


def cutout(x: Tensor, draws: Draws = ALONE) -> Tensor:
    """Cover a square of half the picture's side, anywhere, with grey (0)."""
    height, width = x.shape[2:]
    inside_y = _covered(x, height, draws).view(-1, 1, height, 1)
    inside_x = _covered(x, width, draws).view(-1, 1, 1, width)
    return x * (1 - inside_y * inside_x)


STEPS: dict[str, Callable[[Tensor, Draws], Tensor]] = {
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}


def _per_sample(x: Tensor, draws: Draws) -> Tensor:
    return draws.rand(x.shape[0], 1, 1, 1, device=x.device)


def _shift_matrix(x: Tensor, dim: int, draws: Draws) -> Tensor:
    size = x.shape[dim]
    reach = int(size * SHIFT_SHARE + 0.5)
    shift = draws.randint(-reach, reach + 1, x.shape[0], 1, 1, 1, device=x.device)
    place = torch.arange(size, device=x.device)
    return (place.view(1, 1, -1, 1) + shift == place).to(x.dtype)


def _covered(x: Tensor, size: int, draws: Draws) -> Tensor:
    side = int(size * CUTOUT_SHARE + 0.5)
    start = draws.randint(0, size + (1 - side % 2), x.shape[0], 1, device=x.device) - side // 2
    place = torch.arange(size, device=x.device)
    return ((place >= start) & (place < start + side)).to(x.dtype)
