"""A translation run: the state that it left, its pictures, the log that goes on."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from training.run_folder import locked, reconciled, write_config
from training.run_log import RunLog
from training.saved_state import STATE_NAME, read_state
from training.snapshots import open_snapshot
from training.transfer import transfer
from training.translation.config import TranslationConfig
from training.translation.pictures import CroppedPictures, load_any_shape
from training.translation.state import STATE_VERSION, TranslationState

SHAPE_FIELDS = (
    "objective",
    "task",
    "generator",
    "ngf",
    "n_blocks",
    "num_downs",
    "upsample",
    "norm",
    "use_dropout",
    "ndf",
    "n_layers",
    "pool_size",
)

logger = logging.getLogger(__name__)

State = TypeVar("State", bound=TranslationState)


@dataclass(frozen=True)
class PictureSets:
    """a: pictures to translate; b: pictures of the wanted look (a itself where the task makes pairs)."""

    a: CroppedPictures
    b: CroppedPictures


@contextlib.contextmanager
def opened_run(
    config: TranslationConfig, device: torch.device, kind: type[State]
) -> Iterator[tuple[State, PictureSets, RunLog]]:
    """All that a loop needs, from the run in `config.out` or for a new one.

    Raises RunRefused where another process trains there, or where networks of another shape lie there.
    """
    with locked(config.out):
        config = reconciled(config, SHAPE_FIELDS)
        sets = load_sets(config, device)
        state = kind.fresh(config, device)
        saved = config.out / STATE_NAME
        if saved.exists():
            state.load(saved, device)
        elif config.init_from is not None:
            start_from(config.init_from, state)
        write_config(config)
        logger.info("%d and %d pictures, on %s, from %d", len(sets.a), len(sets.b), device, state.images_seen)
        with RunLog(config.out, config.objective, config.total_images, state.images_seen, device) as log:
            yield state, sets, log


def load_sets(config: TranslationConfig, device: torch.device) -> PictureSets:
    """Read the pictures of `config` into memory."""

    def cropped(source: Path, number: int, also: Path | None = None) -> CroppedPictures:
        side, crop = max(config.picture_side, config.resolution), config.resolution
        return CroppedPictures(
            load_any_shape(source, side, crop),
            crop=crop,
            smallest=config.smallest_crop,
            seed=(config.seed, number),
            device=device,
            also=() if also is None else load_any_shape(also, side, crop, at_most=config.also_pictures),
            also_share=config.also_share,
        )

    a = cropped(config.data, 0, config.also)
    return PictureSets(a, a if config.style is None else cropped(config.style, 1))


def start_from(source: Path, state: TranslationState) -> None:
    """Copy what fits from `source`, a run's folder or a snapshot, into the fresh networks of `state`.

    A run gives all networks that both have; a snapshot gives the generator and its average. Raises RunRefused.
    """
    saved, networks = source / STATE_NAME, state.networks()
    if saved.is_file():
        content = read_state(saved, STATE_VERSION)
        tensors = {name: content[name] for name in networks if name in content}
    else:
        snapshot = open_snapshot(source).tensors()
        tensors = {"generator_ab": snapshot, "average_ab": snapshot}
    for name, own in tensors.items():
        transfer(networks[name], own, f"the {name} of {source}")
