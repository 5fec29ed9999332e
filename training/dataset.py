"""Pictures of a folder or zip, resized once and held in memory; an order that knows no state."""
# N pictures, B batch, C channel, H W picture, Y label

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from models.manifest import TrainingData
from training.errors import DatasetError
from training.picture_files import INDEX_NAME, TRAIN, Passport, PictureFiles, opened_files

__all__ = [
    "INDEX_NAME",
    "TRAIN",
    "Labels",
    "ShuffledPictures",
    "load_labels",
    "load_pictures",
    "read_files",
    "read_rgb",
    "read_training_data",
    "square",
]

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises at files that are no pictures, or not whole."""


@dataclass(frozen=True)
class Labels:
    """What the pictures of a set are, a row a picture in the order of `load_pictures`.

    values: [N, Y] float32, one-hot where the labels are classes. names: what the classes are called, Y of them or none.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...] = ()


def load_pictures(source: Path, resolution: int, split: str = TRAIN) -> NDArray[np.uint8]:
    """All pictures of `source` as [N, 3, resolution, resolution] uint8, in order of their names.

    A picture is cropped to its central square and resized by Lanczos. With an index.csv (columns
    file, split) inside the source or beside it (where it may be called like the source), only the rows
    of `split` are read; without one, all are, and there is no other split than train.
    """
    pictures = [square(read_rgb(data, name), resolution) for name, data in read_files(source, split)]
    return np.stack(pictures)


def load_labels(source: Path, split: str = TRAIN) -> Labels | None:
    """The labels of `source`'s dataset.json for what `load_pictures` reads; None where it has none.

    Raises DatasetError where only some of the pictures have one.
    """
    with opened_files(source) as files:
        if files.description.labels is None:
            return None
        given, names = dict(files.description.labels), _wanted(files, split)
        passport = files.description.personne or Passport()
    if missing := [name for name in names if name not in given]:
        raise DatasetError(f"the dataset.json of {source} has no label for {missing[0]}")
    return Labels(_as_rows([given[name] for name in names], list(given.values())), passport.class_names)


def read_training_data(source: Path) -> tuple[TrainingData, ...]:
    """Name, licence and attribution of the pictures, where `personne dataset pack` wrote them down."""
    with opened_files(source) as files:
        return files.description.personne.training_data if files.description.personne else ()


class ShuffledPictures:
    """Endless batches in a new order each epoch.

    The order is a function of the seed and of how many images were seen, so that a resumed run
    needs no saved position.
    """

    def __init__(
        self,
        pictures_NCHW: NDArray[np.uint8],
        seed: int,
        device: torch.device,
        labels_NY: NDArray[np.float32] | None = None,
    ) -> None:
        self._pictures = torch.from_numpy(pictures_NCHW).to(device)
        self._labels = None if labels_NY is None else torch.from_numpy(labels_NY).to(device)
        self._seed = seed

    def __len__(self) -> int:
        return len(self._pictures)

    def batch(self, images_seen: int, size: int) -> Tensor:
        """The `size` pictures after `images_seen`: [B, 3, H, W] float32 in -1..1."""
        return self._pictures[self._rows(images_seen, size)].float() / 127.5 - 1  # 0..255 => [-1, 1]

    def labels(self, images_seen: int, size: int) -> Tensor | None:
        """The labels of that batch, [B, Y] float32; None where the pictures have none."""
        return None if self._labels is None else self._labels[self._rows(images_seen, size)]

    def all(self) -> Tensor:
        """Every picture, in order of their names: [N, 3, H, W] uint8."""
        return self._pictures

    def _rows(self, images_seen: int, size: int) -> Tensor:
        count = len(self)
        places = range(images_seen, images_seen + size)
        epochs = {epoch: self._order(epoch) for epoch in range(places[0] // count, places[-1] // count + 1)}
        rows = [int(epochs[place // count][place % count]) for place in places]
        return torch.tensor(rows, device=self._pictures.device)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return np.random.RandomState([self._seed, epoch]).permutation(len(self))


def read_files(source: Path, split: str = TRAIN) -> Iterator[tuple[str, bytes]]:
    """Name and content of each picture of `split`, as in `load_pictures`. Raises DatasetError where there is none."""
    with opened_files(source) as files:
        for name in _wanted(files, split):
            yield name, files.read(name)


def read_rgb(data: bytes, name: str) -> Image.Image:
    """The picture upright and as RGB. Raises DatasetError where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
    except UNREADABLE as error:
        raise DatasetError(f"{name} is not a picture that can be read: {error}") from error


def square(picture: Image.Image, resolution: int) -> NDArray[np.uint8]:
    """The central square of a picture as [3, resolution, resolution]."""
    fitted = ImageOps.fit(picture, (resolution, resolution), Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.uint8).transpose(2, 0, 1)


def _wanted(files: PictureFiles, split: str) -> list[str]:
    names = files.of_split(split)
    if not names:
        raise DatasetError(f"{files.source} holds no pictures of the split {split!r}")
    return names


def _as_rows(chosen: list[int | tuple[float, ...]], given: list[int | tuple[float, ...]]) -> NDArray[np.float32]:
    if not all(isinstance(label, int) for label in given):
        return np.array(chosen, np.float32)
    classes = 1 + max(int(label) for label in given if isinstance(label, int))
    rows: NDArray[np.float32] = np.eye(classes, dtype=np.float32)[np.array(chosen)]
    return rows
