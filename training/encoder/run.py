"""A run of the encoder: its state, the generator's own samples, photos, the log that goes on."""
# B batch, C channel, R side of the picture, L style layer, D width of w

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.networks.encoder import EncoderNetwork
from training.augment import mirror_half
from training.encoder.config import EncoderConfig
from training.encoder.kept_samples import kept_samples
from training.encoder.own_samples import OwnSamples
from training.errors import RunRefused
from training.run import Recipe
from training.saved_state import STATE_NAME, RunState, read_state
from training.shuffled import ShuffledPictures, load_shuffled

LAYERED = ("apart.weight", "apart.bias")
"""What has rows for every style layer, from the coarsest."""
SHAPE_FIELDS = ("model", "width", "widest", "hidden")


@dataclass(kw_only=True)
class EncoderState(RunState):
    """Network and optimiser of a run."""

    VERSION = 2

    encoder: EncoderNetwork
    optimiser: torch.optim.Optimizer


@dataclass(frozen=True)
class Sources:
    """What the encoder sees. photos: None where it sees the generator's own pictures alone."""

    own: OwnSamples
    photos: ShuffledPictures | None
    photos_from: float
    """Images seen at which photos come in."""

    def batch(self, images_seen: int, size: int) -> tuple[Tensor, Tensor]:
        """[B, 3, R, R] in -1..1, own pictures first, and the ws of those."""
        with_photos = self.photos is not None and images_seen >= self.photos_from
        rows = torch.randint(len(self.own), (size // 2 if with_photos else size,))
        own = self.own.pictures[rows].float() / 127.5 - 1
        if not with_photos or self.photos is None:
            return own, self.own.ws[rows]
        photos = mirror_half(self.photos.batch(images_seen, size - len(rows)))
        return torch.cat([own, photos]), self.own.ws[rows]

    def redrawn(self, count: int, own: int, size: int) -> Tensor:
        """Rows of a batch that are drawn again: so many of the own, and of the photos where there are any."""
        first = torch.randperm(own)[:count]
        return first if own == size else torch.cat([first, own + torch.randperm(size - own)[:count]])

    def shown(self, columns: int) -> Tensor:
        """A row of own pictures, and one of photos where there are any."""
        own = self.own.pictures[:columns].float() / 127.5 - 1
        return own if self.photos is None else torch.cat([own, self.photos.batch(0, columns)])


def recipe(generator: Any) -> Recipe[EncoderConfig, EncoderState, Sources]:
    """How a run for this generator begins. `load` raises DatasetError."""
    load, fresh = partial(load_sources, generator), partial(fresh_state, generator)
    return Recipe("encoder", SHAPE_FIELDS, load, fresh, begin_with, is_small=True)


def load_sources(generator: Any, config: EncoderConfig, device: torch.device) -> tuple[EncoderConfig, Sources]:
    """The generator's own samples, and photos. Raises DatasetError."""
    own = kept_samples(generator, config)
    photos = None if config.data is None else load_shuffled(config, config.data, generator.img_resolution, device)
    return config, Sources(own, photos, config.own_share * config.total_images)


def fresh_state(generator: Any, config: EncoderConfig, device: torch.device) -> EncoderState:
    """A random encoder and its optimiser."""
    encoder = EncoderNetwork(
        generator.img_resolution,
        generator.num_ws,
        generator.w_dim,
        width=config.width,
        widest=config.widest,
        hidden=config.hidden,
    ).to(device)
    optimiser = torch.optim.AdamW(encoder.parameters(), config.learning_rate, weight_decay=1e-3)
    return EncoderState(encoder=encoder, optimiser=optimiser)


def begin_with(run: Path, state: EncoderState) -> None:
    """Take the encoder of a run for an earlier snapshot of the generator, or for one that has grown since.

    Style layers that are new get the latent of all at first. Raises RunRefused where there is none, or one of another
    shape.
    """
    if not (run / STATE_NAME).exists():
        raise RunRefused(f"{run} holds no state of an encoder to start from")
    own = state.encoder.state_dict()
    found = read_state(run / STATE_NAME, EncoderState.VERSION)["encoder"]
    for name in LAYERED:
        found[name] = torch.cat([found[name], torch.zeros_like(own[name])])[: len(own[name])]
    if {name: tensor.shape for name, tensor in found.items()} != {name: tensor.shape for name, tensor in own.items()}:
        raise RunRefused(f"the encoder of {run} is of another shape: generator, width, widest and hidden must agree")
    state.encoder.load_state_dict(found)


def tell_latents(encoder: EncoderNetwork, own: OwnSamples) -> None:
    """Where the generator's latents lie: of this one, whatever the encoder began with."""
    encoder.w_avg.copy_(own.w_avg)
    encoder.w_std.copy_(own.w_std)
