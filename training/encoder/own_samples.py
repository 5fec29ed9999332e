"""Pictures that the generator draws itself, with the ws that it drew them from."""
# N samples, B batch, L style layer, D width of w, R side of the picture

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

BATCH = 16
MIXED = 0.25
"""Share of the samples whose later layers come from another latent: photos are met by ws whose layers differ."""
LEAST_PSI = 0.5
AVERAGED = 4096
"""Latents of which the mean and the spread are taken."""
DRAWN_SO = (BATCH, MIXED, LEAST_PSI, AVERAGED)
"""What samples depend on beside the generator, their number and the seed."""


@dataclass(frozen=True)
class OwnSamples:
    """pictures: [N, 3, R, R] uint8. ws: [N, L, D]. w_avg, w_std: [D], of w untruncated."""

    pictures: Tensor
    ws: Tensor
    w_avg: Tensor
    w_std: Tensor

    def __len__(self) -> int:
        return len(self.ws)


@torch.no_grad()
def draw_samples(generator: Any, count: int, seed: int, told: Callable[[int], None] = lambda _: None) -> OwnSamples:
    """Samples of truncation_psi 0.5 to 1. told: called with how many are drawn."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        ws, pictures = [], []
        w_all = generator.mapping(torch.randn(AVERAGED, generator.z_dim))[:, 0]
        w_avg, w_std = w_all.mean(0), w_all.std(0)
        for start in range(0, count, BATCH):
            ws_BLD = _mixed(generator, min(BATCH, count - start), w_avg)
            x = generator.synthesis(ws_BLD, noise_mode="const")
            ws.append(ws_BLD)
            pictures.append((x * 127.5 + 128).clamp(0, 255).to(torch.uint8))
            told(start + len(ws_BLD))
    # Laid out as files keep them: arithmetic on another layout ends in other bits.
    return OwnSamples(torch.cat(pictures).contiguous(), torch.cat(ws).contiguous(), w_avg, w_std)


def _mixed(generator: Any, count: int, w_avg: Tensor) -> Tensor:
    ws, other = (generator.mapping(torch.randn(count, generator.z_dim)) for _ in range(2))
    layers = torch.arange(ws.shape[1])
    cut = torch.randint(1, max(2, ws.shape[1]), (count, 1))
    is_other = (layers >= cut) & (torch.rand(count, 1) < MIXED)
    psi = LEAST_PSI + (1 - LEAST_PSI) * torch.rand(count, 1, 1)
    return w_avg + psi * (torch.where(is_other[:, :, None], other, ws) - w_avg)
