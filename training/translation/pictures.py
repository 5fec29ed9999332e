"""Pictures of any shape in memory, and crops of them at several scales in an order that knows no state."""
# B batch, C channel, H W picture

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from training.dataset import TRAIN, read_files
from training.decoding import read_rgb

Picture = NDArray[np.uint8]


def load_any_shape(
    source: Path, side: int, smallest: int, split: str = TRAIN, at_most: int | None = None
) -> list[Picture]:
    """The pictures of `source` as [H, W, 3], in order of their names; `at_most` so many, evenly spaced.

    A shorter side above `side` is shrunk to it, one below `smallest` enlarged to that. Raises DatasetError.
    """
    files = list(read_files(source, split))
    if at_most is not None and len(files) > at_most:
        files = [files[i * len(files) // at_most] for i in range(at_most)]
    return [_bounded(read_rgb(data, name), side, smallest) for name, data in files]


class CroppedPictures:
    """Endless batches of random square crops: each picture once an epoch, in a new order, mirrored half of the time.

    What is drawn is a function of the seed and of how many images were seen, so that a resumed run needs no position.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        *,
        crop: int,
        smallest: float,
        seed: tuple[int, int],
        device: torch.device,
        also: Sequence[Picture] = (),
        also_share: float = 0.0,
    ) -> None:
        """`seed`: the run's, and the number of this set in the run. `smallest`: see TranslationConfig.smallest_crop.
        `also`: pictures that take `also_share` of the places."""
        self._pictures, self._also, self._also_share = pictures, also, also_share if also else 0.0
        self._crop, self._smallest, self._seed, self._device = crop, smallest, seed, device

    def __len__(self) -> int:
        return len(self._pictures) + len(self._also)

    def batch(self, images_seen: int, size: int) -> Tensor:
        """The `size` crops after `images_seen`: [B, 3, crop, crop] float32 in -1..1."""
        return self._stack([self._drawn(place) for place in range(images_seen, images_seen + size)])

    def centres(self, count: int) -> Tensor:
        """The central squares of at most `count` pictures as `batch` gives crops, always the same: evenly spaced, the
        last of them from the other pictures, by their share."""
        of_also = min(math.ceil(count * self._also_share), len(self._also))
        chosen = [*_spread(self._pictures, count - of_also), *_spread(self._also, of_also)]
        return self._stack([self._square(picture) for picture in chosen])

    def _drawn(self, place: int) -> Picture:
        random = np.random.RandomState([*self._seed, 1, place])
        if random.rand() < self._also_share:
            picture = self._also[random.randint(len(self._also))]
        else:
            epoch, row = divmod(place, len(self._pictures))
            order = np.random.RandomState([*self._seed, 0, epoch]).permutation(len(self._pictures))
            picture = self._pictures[order[row]]
        height, width = picture.shape[:2]
        side = self._drawn_side(random, min(height, width))
        left, top = random.randint(width - side + 1), random.randint(height - side + 1)
        cropped = self._resized(picture[top : top + side, left : left + side])
        return cropped[:, ::-1] if random.rand() < 0.5 else cropped

    def _drawn_side(self, random: np.random.RandomState, shorter: int) -> int:
        smallest = max(self._crop, int(shorter * self._smallest))
        # Uniform in the logarithm: as many halvings of detail as doublings.
        return int(smallest * (shorter / smallest) ** random.rand()) if smallest < shorter else shorter

    def _square(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return self._resized(picture[top : top + side, left : left + side])

    def _resized(self, square: Picture) -> Picture:
        size = (self._crop, self._crop)
        return np.asarray(Image.fromarray(square).resize(size, Image.Resampling.BICUBIC), dtype=np.uint8)

    def _stack(self, crops: Sequence[Picture]) -> Tensor:
        x_BHWC = torch.from_numpy(np.stack(crops)).to(self._device)
        return x_BHWC.permute(0, 3, 1, 2).float().contiguous() / 127.5 - 1  # 0..255 => [-1, 1]


def _spread(pictures: Sequence[Picture], count: int) -> list[Picture]:
    count = min(count, len(pictures))
    return [pictures[i * len(pictures) // count] for i in range(count)]


def _bounded(picture: Image.Image, side: int, smallest: int) -> Picture:
    shorter = min(picture.size)
    wanted = max(min(shorter, side), smallest)
    if wanted != shorter:
        width, height = (max(wanted, round(length * wanted / shorter)) for length in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture, dtype=np.uint8)
