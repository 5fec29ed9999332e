"""personne train encoder: from a model to the recipe's loop, and back into the model's folder."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import torch

from models.catalogue import ModelEntry
from models.export.rebuild import rebuild
from models.networks.encoder import EncoderNetwork
from personne.commands.make_inverters import write_inverters
from personne.progress import shown_steps
from training.encoder import train
from training.encoder.config import EncoderConfig
from training.encoder.loop import ENCODER
from training.snapshots import list_snapshots, open_snapshot

IMAGES = 32_000
"""About twenty minutes on one core for pictures of 64x64."""

_log = logging.getLogger(__name__)


def train_encoder(entry: ModelEntry, *, data: Path | None, out: Path, options: dict[str, Any]) -> ModelEntry:
    """Train an encoder for a generator in the run `out`, or go on with it; put it into the model when it is done.

    data: aligned photos that it learns to draw again. `options`: fields of EncoderConfig; None: unset. Raises
    ValueError for an option out of bounds, ModelsError, TrainingError.
    """
    manifest = entry.generator
    generator = rebuild(entry).eval().requires_grad_(False)
    given = {name: value for name, value in options.items() if value is not None}
    preset = EncoderConfig(model=manifest.digest, data=data, out=out, total_images=IMAGES, batch=16, device="cpu")
    config = dataclasses.replace(preset, **given)
    _log.info("%d pictures for %s, into %s", config.total_images, manifest.name, out)
    train(config, generator)
    with shown_steps() as told:
        return write_inverters(entry, newest_encoder(out), told)


def newest_encoder(run: Path) -> EncoderNetwork:
    """The encoder of a run's last snapshot. Raises FileNotFoundError where there is none."""
    found = list_snapshots(run, ENCODER)
    if not found:
        raise FileNotFoundError(f"{run} holds no snapshot of an encoder yet")
    snapshot = open_snapshot(found[-1])
    with torch.random.fork_rng():
        encoder = EncoderNetwork(**snapshot.generator_kwargs)
    encoder.load_state_dict(snapshot.tensors())
    return encoder.eval()
