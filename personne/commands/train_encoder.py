"""personne train encoder: from a model to the recipe's loop, and back into the model's folder."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from models.catalogue import ModelEntry
from models.export.rebuild import rebuild
from models.networks.encoder import EncoderNetwork
from personne.commands import run_options
from personne.commands.make_inverters import write_inverters
from personne.commands.run_options import changed, preset_of
from personne.progress import shown_steps
from training.cost import pictures_line
from training.encoder import train
from training.encoder.loop import ENCODER
from training.encoder.run import recipe
from training.finding_presets import ENCODER_PRESETS
from training.snapshots import list_snapshots, open_snapshot

_log = logging.getLogger(__name__)


def train_encoder(
    entry: ModelEntry,
    *,
    data: Path | None,
    out: Path,
    preset: str | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    changes: Sequence[str] = (),
    dry_run: bool = False,
) -> list[str]:
    """Train an encoder for a generator in the run `out`, or go on with it; put it into the model when it is done.

    data: aligned photos that it learns to draw again. The rest is as in `train_recipe`; returns what there is to say.
    Raises ValueError for an option out of bounds, ModelsError, TrainingError.
    """
    manifest = entry.generator
    generator = rebuild(entry).eval().requires_grad_(False)
    chosen, make = preset_of(ENCODER_PRESETS, preset)
    config = changed(make(manifest.digest, data, out), options, changes)
    if dry_run:
        samples = pictures_line("pictures of the generator", config.samples, manifest.resolution)
        return run_options.dry_run(chosen, config, recipe(generator).fresh, [samples])
    _log.info("preset %s, %d pictures for %s, into %s", chosen, config.total_images, manifest.name, out)
    train(config, generator)
    with shown_steps() as told:
        trained = write_inverters(entry, newest_encoder(out), told)
    return [f"{trained.manifest.name} can be asked for the latents of faces."]


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
