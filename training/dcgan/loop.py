"""Training DCGAN: one function that reads top to bottom."""
# B batch, Z latent, Y label, C channel, H W picture

import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from models.networks.dcgan import Discriminator, Generator
from training.augment import augment
from training.dcgan.config import DcganConfig
from training.ema import ema_decay, refresh_statistics, update_ema
from training.portraits.data import DATA_FIELDS, Portraits, load_portraits
from training.portraits.game import play
from training.portraits.records import PortraitRun, keep_records
from training.portraits.state import PortraitState, latents
from training.run import Recipe, running
from training.trained_tensors import trained_tensors
from training.transfer import transfer

SETTLED_BY = 512
"""Pictures that the averaged generator's batch statistics are taken over."""


@dataclass(kw_only=True)
class DcganState(PortraitState):
    """Networks and optimisers."""

    generator: Generator
    discriminator: Discriminator
    average: Generator
    generator_optimiser: Adam
    discriminator_optimiser: Adam

    def settle(self, batch: int) -> None:
        """Give the average batch statistics of its own."""
        z_NZ = latents(range(SETTLED_BY), self.average)
        c_NY = None
        if self.average.c_dim:
            c_NY = torch.eye(self.average.c_dim, device=z_NZ.device)[torch.arange(len(z_NZ)) % self.average.c_dim]
        rows = [slice(i, i + batch) for i in range(0, SETTLED_BY, batch)]
        refresh_statistics(self.average, ((z_NZ[at], None if c_NY is None else c_NY[at]) for at in rows))

    @torch.no_grad()
    def judge(self, x_NCHW: Tensor, c_NY: Tensor | None) -> Tensor:
        self.discriminator.eval()
        logits: Tensor = self.discriminator(x_NCHW, c_NY)
        self.discriminator.train()
        return logits


def train(config: DcganConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`, to the very state."""
    with running(config, RECIPE) as run:
        config, state = run.config, run.state
        while run.goes_on():
            real, c = run.data.batch(config, state.images_seen, run.draws)
            z = run.draws.randn(run.batch, config.z_dim, device=run.device)
            with run.autocast():
                fake = state.generator(z, c).float()
            play(run, partial(judged, run, c), real, fake)

            run.seen()
            for network in (state.generator, state.discriminator):
                run.processes.average_statistics(network)
            decay = ema_decay(state.images_seen, config.batch, config.ema_half_life_images, config.ema_ramp)
            update_ema(state.average, state.generator, decay)
            keep_records(run)


def judged(run: PortraitRun[DcganConfig, DcganState], c_BY: Tensor | None, x: Tensor) -> Tensor:
    """The logits of altered pictures."""
    logits: Tensor = run.state.discriminator(augment(x, run.config.augment, draws=run.draws), c_BY)
    return logits


def fresh_state(config: DcganConfig, device: torch.device) -> DcganState:
    """Random networks on `device`, drawn from torch's global generator, their optimisers and the average."""
    generator = Generator(**config.generator_kwargs()).to(device)
    discriminator = Discriminator(**config.discriminator_kwargs()).to(device)
    return DcganState(
        generator=generator,
        discriminator=discriminator,
        average=copy.deepcopy(generator).eval().requires_grad_(False),
        generator_optimiser=_adam(generator, config.learning_rate),
        discriminator_optimiser=_adam(discriminator, config.learning_rate),
    )


def start_from(source: Path, state: DcganState) -> None:
    """Copy what fits from `source` into the fresh networks. Raises RunRefused where less than half does."""
    for name, tensors in trained_tensors(source, "dcgan", ("generator", "average", "discriminator")).items():
        transfer(getattr(state, name), tensors, f"the {name} of {source}")


def _adam(network: nn.Module, rate: float) -> Adam:
    return Adam(network.parameters(), lr=rate, betas=(0.5, 0.999), fused=True)


RECIPE: Recipe[DcganConfig, DcganState, Portraits] = Recipe(
    name="dcgan",
    shape_fields=("resolution", "z_dim", "channels", "conditional"),
    data_fields=DATA_FIELDS,
    load=load_portraits,
    fresh=fresh_state,
    start_from=start_from,
)
