"""What every state of a run has that draws pictures of random latents."""
# N pictures, Z latent, Y label, C channel, H W picture

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.latents import seed_to_z
from training.saved_state import RunState


@dataclass(kw_only=True)
class PortraitState(RunState):
    """average: the generator that is sampled and shipped."""

    average: Any

    @torch.no_grad()
    def draw(self, z_NZ: Tensor, c_NY: Tensor | None, psi: float) -> Tensor:
        """The averaged generator's pictures, [N, 3, H, W], about -1..1."""
        pictures: Tensor = self.average(z_NZ, c_NY, truncation_psi=psi, noise_mode="const")
        return pictures

    def judge(self, x_NCHW: Tensor, c_NY: Tensor | None) -> Tensor | None:  # noqa: ARG002  # for those that have one
        """The discriminator's logits, [N, 1]; None where there is no discriminator of pictures."""
        return None

    def settle(self, batch: int) -> None:
        """Make the average ready to draw, where that takes more than its weights; draws nothing at random."""

    @property
    def is_grown(self) -> bool:
        """Whether the generator draws at its full resolution already."""
        return True

    def shipped(self) -> nn.Module:
        """What a snapshot holds."""
        network: nn.Module = self.average
        return network


def latents(seeds: range, generator: Any) -> Tensor:
    """[N, Z]: those of these seeds, on the generator's device."""
    device = next(generator.parameters()).device
    return torch.cat([torch.from_numpy(seed_to_z(seed, generator.z_dim)) for seed in seeds]).to(device)


@torch.no_grad()
def draw_seeds(state: PortraitState, seeds: range, batch: int, c_NY: Tensor | None = None, psi: float = 1.0) -> Tensor:
    """The pictures of these seeds, in batches, on the average's device. Draws nothing from torch's generators."""
    z_NZ = latents(seeds, state.average)
    rows = range(0, len(z_NZ), batch)
    return torch.cat(
        [state.draw(z_NZ[i : i + batch], None if c_NY is None else c_NY[i : i + batch], psi) for i in rows]
    )
