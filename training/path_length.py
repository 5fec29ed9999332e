"""Path length regularisation: a step in w changes the picture as much wherever it is taken (Karras et al. 2020, Eq. 4).

Directions and inversion work better in such a space.
"""
# B batch, L style layer, D width of w, C channel, H W picture

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from training.processes import Processes

DECAY = 0.01


class PathLength:
    """The running mean of the lengths, and the penalty on what differs from it."""

    def __init__(self, device: torch.device) -> None:
        self.mean = torch.zeros((), device=device)

    def penalty(self, synthesise: Callable[[Tensor], Tensor], ws_BLD: Tensor, processes: Processes) -> Tensor:
        """Mean of (|J^T y| - a)^2, y random pictures and a the running mean, which moves. Call it outside autocast."""
        pictures = synthesise(ws_BLD)
        rows, *shape = pictures.shape
        noise = processes.draws.randn(rows, *shape, device=pictures.device) / (shape[1] * shape[2]) ** 0.5
        (gradient_BLD,) = torch.autograd.grad((pictures * noise).sum(), ws_BLD, create_graph=True)
        length_B = gradient_BLD.square().sum(dim=2).mean(dim=1).sqrt()
        seen = length_B.detach().mean()
        processes.average([seen])
        self.mean = self.mean.lerp(seen, DECAY)
        return (length_B - self.mean).square().mean()

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.mean = state_dict["mean"].to(self.mean.device)
