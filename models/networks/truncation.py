"""Truncation in w (Karras et al. 2019, appendix B): less variety, more typical pictures."""
# N batch, L style layer, D width of w

import torch
from torch import Tensor


def layer_psi(num_ws: int, psi: float, cutoff: int | None = None) -> Tensor:
    """[num_ws]: `psi` for the first `cutoff` layers (all where None), 1 for the rest."""
    psi_L = torch.ones(num_ws)
    psi_L[:cutoff] = psi
    return psi_L


def truncate(ws_NLD: Tensor, w_avg_D: Tensor, psi_L: Tensor) -> Tensor:
    """`ws` moved toward the mean: psi 0 is the mean, 1 leaves a layer as it is."""
    return w_avg_D + psi_L[:, None] * (ws_NLD - w_avg_D)
