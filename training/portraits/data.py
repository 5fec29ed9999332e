"""The pictures of a run, their labels, and those held out from it."""
# N pictures, B batch, C channel, H W picture, Y label

import logging
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from training.augment import mirror_half
from training.dataset import TRAIN, load_labels, load_pictures
from training.draws import Draws
from training.errors import DatasetError
from training.portraits.config import PortraitConfig
from training.shuffled import ShuffledPictures, load_shuffled

HELD_OUT = "test"
DATA_FIELDS = ("num_classes", "class_names")
"""Of a run's config what `load_portraits` fills in; the networks of a conditional run are made for these classes."""
COMPARED = 64
"""Pictures held out that are looked at: more would only take memory."""

Config = TypeVar("Config", bound=PortraitConfig)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Portraits:
    """train: endless batches. labels: of all training pictures, [N, Y]. held_out: COMPARED of the others, evenly
    spaced, [N, 3, H, W] uint8."""

    train: ShuffledPictures
    labels: Tensor | None = None
    held_out: Tensor | None = None
    held_out_labels: Tensor | None = None

    def batch(self, config: PortraitConfig, images_seen: int, draws: Draws) -> tuple[Tensor, Tensor | None]:
        """This process's share of the next pictures, -1..1, perhaps mirrored; and their labels."""
        pictures = self.train.batch(images_seen, config.batch, draws)
        labels = self.train.labels(images_seen, config.batch, draws) if config.conditional else None
        return mirror_half(pictures, draws) if config.mirror else pictures, labels

    def some_labels(self, count: int, random: torch.Generator) -> Tensor | None:
        """[count, Y], as frequent as in the data; of no effect on torch's global generator."""
        if self.labels is None:
            return None
        return self.labels[torch.randint(len(self.labels), (count,), generator=random).to(self.labels.device)]


def load_portraits(config: Config, device: torch.device) -> tuple[Config, Portraits]:
    """The data; and the config with what they say of their classes. Raises DatasetError."""
    labels = _labels(config, TRAIN, device)
    if labels is not None:
        config = replace(config, num_classes=labels.shape[1], class_names=_class_names(config))
    train = load_shuffled(config, config.data, config.resolution, device, labels)
    held_out = _held_out(config)
    logger.info(
        "%d pictures to learn from, %d held out to compare with", len(train), 0 if held_out is None else len(held_out)
    )
    held_out_labels = None if held_out is None else _labels(config, HELD_OUT, device)
    return config, Portraits(train, labels, held_out, held_out_labels)


def _labels(config: PortraitConfig, split: str, device: torch.device) -> Tensor | None:
    """Of a conditional run: [N, Y]."""
    if not config.conditional:
        return None
    labels = load_labels(config.data, split, COMPARED if split == HELD_OUT else None)
    if labels is None:
        raise DatasetError(
            f"{config.data} has no labels (a dataset.json); `personne dataset pack` makes a zip that has"
        )
    return torch.from_numpy(labels.values).to(device)


def _class_names(config: PortraitConfig) -> tuple[str, ...]:
    labels = load_labels(config.data)
    return () if labels is None else labels.names


def _held_out(config: PortraitConfig) -> Tensor | None:
    try:
        return torch.from_numpy(load_pictures(config.data, config.resolution, HELD_OUT, COMPARED))
    except DatasetError:
        return None
