"""Pictures of random latents, as the loop trains on them."""
# B batch, Z latent, Y label, L style layer, D width of w, C channel, H W picture

from typing import Any

import torch
from torch import Tensor

from models.networks.stylegan2 import Generator, SynthesisNetwork
from training.config import TrainingConfig
from training.draws import Draws
from training.faces.state import TrainingState
from training.portraits.records import PortraitRun

FacesRun = PortraitRun[TrainingConfig, TrainingState]


def random_styles(run: FacesRun, c_BY: Tensor | None, rows: int, *, update_w_avg: bool = False) -> Tensor:
    """[rows, L, D]: of random latents, with style mixing."""
    generator = run.state.generator
    z_BZ = run.draws.randn(rows, run.config.z_dim, device=run.device)
    ws_BLD = generator.mapping(z_BZ, c_BY, update_w_avg=update_w_avg)
    return mix_styles(ws_BLD, c_BY, generator, run.config.style_mixing, run.draws)


def mix_styles(ws_BLD: Tensor, c_BY: Tensor | None, generator: Generator, chance: float, draws: Draws) -> Tensor:
    """With that chance, take the later layers from another latent (Karras et al. 2019, section 3.1), so that layers do
    not learn to rely on each other's styles."""
    layers = ws_BLD.shape[1]
    if torch.rand(()).item() >= chance:
        return ws_BLD
    cut = int(torch.randint(1, layers, ()).item())
    other = generator.mapping(draws.randn(len(ws_BLD), generator.z_dim, device=ws_BLD.device), c_BY)
    return torch.cat([ws_BLD[:, :cut], other[:, cut:]], dim=1)


def synthesise(synthesis: Any, ws_BLD: Tensor, draws: Draws) -> Tensor:
    """[B, 3, H, W], each layer with noise of its own."""
    noise = random_noise(synthesis, len(ws_BLD), draws, ws_BLD.device)
    pictures: Tensor = synthesis(ws_BLD, noise_mode="random", noise=noise)
    return pictures


def random_noise(synthesis: SynthesisNetwork, rows: int, draws: Draws, device: torch.device) -> list[Tensor]:
    """One [rows, 1, r, r] for every convolution."""
    sizes = [4] + [size for size in synthesis.resolutions[1:] for _ in range(2)]
    return [draws.randn(rows, 1, size, size, device=device) for size in sizes]
