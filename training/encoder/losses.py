"""What the encoder minimises: the distance of latents, and of the pictures drawn from them at several sizes."""
# B batch, C channel, R side of the picture, L style layer, D width of w

import torch
from torch import Tensor

from models.networks.encoder import halved

SMALLEST = 8
"""Side of the smallest pictures that are compared."""


def latent_loss(found_BLD: Tensor, wanted_BLD: Tensor, w_std_D: Tensor) -> Tensor:
    """Mean squared distance in units of the standard deviation of w."""
    return ((found_BLD - wanted_BLD) / w_std_D).square().mean()


def picture_loss(drawn_BCRR: Tensor, wanted_BCRR: Tensor) -> Tensor:
    """Mean absolute difference at the picture's size and at each half of it down to SMALLEST."""
    total, sizes = drawn_BCRR.new_zeros(()), 0
    while drawn_BCRR.shape[-1] >= SMALLEST:
        total = total + (drawn_BCRR - wanted_BCRR).abs().mean()
        drawn_BCRR, wanted_BCRR, sizes = halved(drawn_BCRR), halved(wanted_BCRR), sizes + 1
    return total / sizes


def prior_loss(found_BLD: Tensor, w_avg_D: Tensor, w_std_D: Tensor) -> Tensor:
    """How far ws are from the mean w, and the layers from each other, in standard deviations squared."""
    away_BLD = (found_BLD - w_avg_D) / w_std_D
    shared_B1D = away_BLD.mean(dim=1, keepdim=True)
    return shared_B1D.square().mean() + torch.square(away_BLD - shared_B1D).mean()
