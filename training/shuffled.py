"""Pictures in an order that knows no state, from wherever they fit."""
# N pictures, B batch, C channel, H W picture, Y label

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.dataset import names_of
from training.decoding import decoded, picture_bytes, shown_decoding
from training.draws import ALONE, Draws
from training.free_memory import free_bytes
from training.held_pictures import HeldPictures, MappedPictures, Places, ResidentPictures
from training.picture_files import opened_files
from training.pictures_file import decoded_file
from training.run_config import PicturesConfig

logger = logging.getLogger(__name__)


class ShuffledPictures:
    """Endless batches in a new order each epoch.

    The order is a function of the seed and of how many images were seen, so that a resumed run
    needs no saved position.
    """

    def __init__(
        self,
        pictures: HeldPictures,
        seed: int,
        labels_NY: Tensor | None = None,
    ) -> None:
        self._pictures, self._labels, self._seed = pictures, labels_NY, seed
        self._orders: dict[int, Places] = {}
        self._last_seen: int | None = None

    def __len__(self) -> int:
        return len(self._pictures)

    def batch(self, images_seen: int, size: int, draws: Draws = ALONE) -> Tensor:
        """Of the `size` pictures after `images_seen` this process's: [B, 3, H, W] float32 in -1..1, on the device."""
        found = self._pictures.at(draws.share(self._places(images_seen, size)))
        # The next step is probably as long as this one was; not all of it need be of these pictures.
        step = size if self._last_seen is None else images_seen - self._last_seen
        self._last_seen = images_seen
        if step > 0:
            self._pictures.read_ahead(draws.share(self._places(images_seen + step, size)))
        return found.float() / 127.5 - 1  # 0..255 => [-1, 1]

    def labels(self, images_seen: int, size: int, draws: Draws = ALONE) -> Tensor | None:
        """The labels of that batch, [B, Y] float32; None where the pictures have none."""
        if self._labels is None:
            return None
        places = torch.from_numpy(draws.share(self._places(images_seen, size)))
        return self._labels[places.to(self._labels.device)]

    def at(self, places: Places) -> Tensor:
        """The pictures at these places of the order of their names: [B, 3, H, W] uint8, on the device."""
        return self._pictures.at(places)

    def parts(self, size: int) -> Iterator[Tensor]:
        """Every picture, in order of their names, `size` at a time: [B, 3, H, W] uint8, on the device."""
        for first in range(0, len(self), size):
            yield self.at(np.arange(first, min(first + size, len(self))))

    def _places(self, images_seen: int, size: int) -> Places:
        epochs, rows = np.divmod(np.arange(images_seen, images_seen + size), len(self))
        wanted = np.unique(epochs).tolist()
        # An order of millions of pictures takes longer to draw than a batch to read.
        self._orders = {epoch: self._order(epoch) for epoch in wanted}
        return np.array([self._orders[epoch][row] for epoch, row in zip(epochs.tolist(), rows, strict=True)], np.int64)

    def _order(self, epoch: int) -> Places:
        known = self._orders.get(epoch)
        return np.random.RandomState([self._seed, epoch]).permutation(len(self)) if known is None else known


def load_shuffled(
    config: PicturesConfig,
    source: Path,
    resolution: int,
    device: torch.device,
    labels_NY: Tensor | None = None,
) -> ShuffledPictures:
    """The train split of `source`, decoded once: on the device where `config.data_memory_share` allows, else on disk.

    What batches are does not depend on where they come from. Raises DatasetError.
    """
    with opened_files(source) as files:
        names = names_of(files)
        size, free = len(names) * picture_bytes(resolution), free_bytes(device)
        pictures: HeldPictures
        with shown_decoding(len(names)) as tell:
            if size <= config.data_memory_share * free:
                shape = (len(names), resolution, resolution, 3)
                resident_NHWC = torch.empty(shape, dtype=torch.uint8, device=device)
                first = 0
                for part in decoded(files, names, resolution):
                    resident_NHWC[first : first + len(part)] = torch.from_numpy(part)
                    first += len(part)
                    tell(len(part))
                pictures = ResidentPictures(resident_NHWC)
            else:
                logger.info(
                    "the pictures take %.1f MB, more than %.3g of the %.1f MB that are free on %s: they are read from "
                    "%s as the run goes on",
                    *(size / 1e6, config.data_memory_share, free / 1e6, device, config.out),
                )
                pictures = MappedPictures(decoded_file(config.out, files, names, resolution, tell), device)
    return ShuffledPictures(pictures, config.seed, labels_NY)
