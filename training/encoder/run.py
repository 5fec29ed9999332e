"""A run of the encoder: its state, the generator's own samples, photos, the log that goes on."""
# B batch, C channel, R side of the picture, L style layer, D width of w

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.networks.encoder import EncoderNetwork
from training.augment import mirror_half
from training.dataset import ShuffledPictures, load_pictures
from training.encoder.config import EncoderConfig
from training.encoder.own_samples import OwnSamples, draw_samples
from training.errors import RunRefused
from training.run_folder import locked, reconciled, write_config
from training.run_log import RunLog
from training.saved_state import STATE_NAME, Part, check_finite, read_state, restore, write_state

STATE_VERSION = 1
LATENTS = ("w_avg", "w_std")
"""Of the generator: what an encoder is told of its latents."""
SHAPE_FIELDS = ("model", "width", "widest", "hidden")

logger = logging.getLogger(__name__)


@dataclass
class EncoderState:
    """Network, optimiser and counter of a run."""

    encoder: EncoderNetwork
    optimiser: torch.optim.Optimizer
    images_seen: int = 0


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


@contextlib.contextmanager
def opened_run(
    config: EncoderConfig, generator: Any, device: torch.device
) -> Iterator[tuple[EncoderState, Sources, RunLog]]:
    """All that the loop needs, from the run in `config.out` or for a new one.

    Raises RunRefused where another process trains there, where an encoder of another model or shape lies there, and for
    a device other than the CPU; DatasetError.
    """
    if device.type != "cpu":
        raise RunRefused(f"an encoder trains on the CPU; {device} was asked")
    with locked(config.out):
        config = reconciled(config, SHAPE_FIELDS)
        logger.info("drawing %d samples of the generator", config.samples)
        own = draw_samples(generator, config.samples, config.seed)
        side = generator.img_resolution
        photos = None if config.data is None else load_pictures(config.data, side)
        state = fresh_state(config, generator, own)
        if (config.out / STATE_NAME).exists():
            load(state, config.out)
        elif config.init_from is not None:
            begin_with(state, config.init_from)
        write_config(config)
        shuffled = None if photos is None else ShuffledPictures(photos, config.seed, device)
        sources = Sources(own, shuffled, config.own_share * config.total_images)
        with RunLog(config.out, "encoder", config.total_images, state.images_seen, device) as log:
            yield state, sources, log


def fresh_state(config: EncoderConfig, generator: Any, own: OwnSamples) -> EncoderState:
    """A random encoder that knows where the generator's latents lie, and its optimiser."""
    encoder = EncoderNetwork(
        generator.img_resolution,
        generator.num_ws,
        generator.w_dim,
        width=config.width,
        widest=config.widest,
        hidden=config.hidden,
    )
    encoder.w_avg.copy_(own.w_avg)
    encoder.w_std.copy_(own.w_std)
    return EncoderState(encoder, torch.optim.AdamW(encoder.parameters(), config.learning_rate, weight_decay=1e-3))


def begin_with(state: EncoderState, run: Path) -> None:
    """Take the encoder of a run for an earlier snapshot of the generator; where the latents of this one lie stays.

    Raises RunRefused where there is none, or one of another shape.
    """
    if not (run / STATE_NAME).exists():
        raise RunRefused(f"{run} holds no state of an encoder to start from")
    own = state.encoder.state_dict()
    found = read_state(run / STATE_NAME, STATE_VERSION)["encoder"]
    if {name: tensor.shape for name, tensor in found.items()} != {name: tensor.shape for name, tensor in own.items()}:
        raise RunRefused(f"the encoder of {run} is of another shape: generator, width, widest and hidden must agree")
    state.encoder.load_state_dict(found | {name: own[name] for name in LATENTS})


def save(state: EncoderState, run: Path) -> None:
    """Write `run`/state.pt whole. Raises TrainingDiverged when a weight is not finite."""
    check_finite({"encoder": state.encoder}, state.images_seen)
    parts: dict[str, Part] = {"encoder": state.encoder, "optimiser": state.optimiser}
    write_state(run, STATE_VERSION, parts, {"images_seen": state.images_seen})


def load(state: EncoderState, run: Path) -> None:
    """Put back what `save` wrote."""
    content = read_state(run / STATE_NAME, STATE_VERSION)
    restore({"encoder": state.encoder, "optimiser": state.optimiser}, content)
    state.images_seen = content["images_seen"]
