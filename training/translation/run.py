"""A translation run: the state that it left, its pictures, the log that goes on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from training.run import Recipe, Run
from training.saved_state import STATE_NAME, read_state
from training.snapshots import open_snapshot
from training.transfer import transfer
from training.translation.config import TranslationConfig
from training.translation.pictures import CroppedPictures, load_any_shape
from training.translation.state import TranslationState

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
    "residual",
    "ndf",
    "n_layers",
    "pool_size",
)

State = TypeVar("State", bound=TranslationState)
TranslationRun = Run[TranslationConfig, State, "PictureSets"]


@dataclass(frozen=True)
class PictureSets:
    """a: pictures to translate; b: pictures of the wanted look (a itself where the task makes pairs)."""

    a: CroppedPictures
    b: CroppedPictures


def recipe_of(kind: type[State]) -> Recipe[TranslationConfig, State, PictureSets]:
    """How a run with a state of this kind begins."""
    return Recipe(
        name="translation",
        shape_fields=SHAPE_FIELDS,
        load=lambda config, device: (config, load_sets(config, device)),
        fresh=kind.fresh,
        start_from=start_from,
    )


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
        content = read_state(saved, TranslationState.VERSION)
        tensors = {name: content[name] for name in networks if name in content}
    else:
        snapshot = open_snapshot(source).tensors()
        tensors = {"generator_ab": snapshot, "average_ab": snapshot}
    for name, own in tensors.items():
        transfer(networks[name], own, f"the {name} of {source}")
