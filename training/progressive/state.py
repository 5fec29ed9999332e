"""All that a run of the progressive recipe is at one moment."""
# N pictures, Z latent, Y label, C channel, H W picture

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from models.networks import pggan, stylegan1
from models.networks.pggan_discriminator import Discriminator
from models.networks.progressive import real_at_lod
from training.portraits.data import Portraits, load_portraits
from training.portraits.state import PortraitState
from training.progressive.config import ProgressiveConfig
from training.run import Recipe
from training.steps import channels_last
from training.trained_tensors import trained_tensors
from training.transfer import transfer

Generator = pggan.Generator | stylegan1.Generator


@dataclass(kw_only=True)
class ProgressiveState(PortraitState):
    """Networks, optimisers, and how far they have grown."""

    COUNTERS: ClassVar[tuple[str, ...]] = ("steps", "images_seen", "lod")

    generator: Generator
    discriminator: Discriminator
    average: Generator
    generator_optimiser: Adam
    discriminator_optimiser: Adam
    lod: float

    def grow(self, lod: float) -> None:
        """Go to this level of detail. Where another resolution joins or has joined, the optimisers begin anew: what
        they remember is of another network."""
        if (math.floor(lod), math.ceil(lod)) != (math.floor(self.lod), math.ceil(self.lod)):
            for optimiser in (self.generator_optimiser, self.discriminator_optimiser):
                optimiser.state.clear()
        self.lod = lod
        for network in (self.generator, self.average):
            network.synthesis.get_buffer("lod").fill_(lod)

    @torch.no_grad()
    def draw(self, z_NZ: Tensor, c_NY: Tensor | None, psi: float) -> Tensor:
        """At the full resolution: what is not grown yet is enlarged."""
        small = self.average(z_NZ, c_NY, truncation_psi=psi, noise_mode="const", lod=self.lod)
        return F.interpolate(small, size=(self.average.img_resolution,) * 2, mode="nearest")

    @torch.no_grad()
    def judge(self, x_NCHW: Tensor, c_NY: Tensor | None) -> Tensor:  # noqa: ARG002  # there are no labels
        logits: Tensor = self.discriminator(real_at_lod(x_NCHW, self.lod), lod=self.lod)
        return logits

    @property
    def is_grown(self) -> bool:
        return self.lod == 0


def fresh_state(config: ProgressiveConfig, device: torch.device) -> ProgressiveState:
    """Random networks on `device`, drawn from torch's global generator, their optimisers and the average."""
    family = pggan if config.family == "pggan" else stylegan1
    generator: Generator = family.Generator(**config.generator_kwargs())
    discriminator = Discriminator(**config.discriminator_kwargs())
    for network in (generator, discriminator):
        network.to(device)
        channels_last(network)
    return ProgressiveState(
        generator=generator,
        discriminator=discriminator,
        average=copy.deepcopy(generator).eval().requires_grad_(False),
        generator_optimiser=_adam(generator, config.learning_rate),
        discriminator_optimiser=_adam(discriminator, config.learning_rate),
        lod=config.lod_at(0),
    )


def start_from(source: Path, state: ProgressiveState) -> None:
    """Copy what fits from `source` into the fresh networks. Raises RunRefused where less than half does."""
    family = "pggan" if isinstance(state.generator, pggan.Generator) else "stylegan1"
    networks = trained_tensors(source, family, ("generator", "average", "discriminator"))
    for name, tensors in networks.items():
        transfer(getattr(state, name), tensors, f"the {name} of {source}")


def _adam(network: nn.Module, rate: float) -> Adam:
    return Adam(network.parameters(), lr=rate, betas=(0.0, 0.99), eps=1e-8, fused=True)


RECIPE: Recipe[ProgressiveConfig, ProgressiveState, Portraits] = Recipe(
    name="progressive",
    shape_fields=(
        "family",
        "resolution",
        "z_dim",
        "w_dim",
        "mapping_layers",
        "channel_base",
        "channel_max",
        "minibatch_std_group",
    ),
    load=load_portraits,
    fresh=fresh_state,
    start_from=start_from,
)
