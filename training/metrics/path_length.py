"""How evenly pictures change along a way through the latent space (after Karras et al. 2019, section 4.1).

The published measure takes steps of 1/10,000, which pictures of 256 levels cannot show; here a step is 1/32 of the way.
And its unit is that of its features. So the figure is a ratio: the mean squared speed over the mean squared distance
between the ends of the ways. A way that goes straight and evenly in features has 1; detours and jumps have more.
"""
# P way, D feature

from torch import Tensor

STEP = 1 / 32


def path_length_ratio(here_PD: Tensor, a_step_on_PD: Tensor, start_PD: Tensor, end_PD: Tensor) -> float:
    """Features at a random place of each way, a STEP further, and at its ends."""
    speed = ((a_step_on_PD - here_PD) / STEP).square().sum(dim=1)
    return float(speed.mean() / (end_PD - start_PD).square().sum(dim=1).mean())
