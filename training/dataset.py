"""What a folder or zip of pictures holds: the pictures of a split, their labels, where they come from."""
# N pictures, C channel, H W picture, Y label

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.manifest import TrainingData
from training.decoding import decoded
from training.errors import DatasetError
from training.picture_files import INDEX_NAME, TRAIN, Passport, PictureFiles, opened_files

__all__ = [
    "INDEX_NAME",
    "TRAIN",
    "Labels",
    "load_labels",
    "load_pictures",
    "names_of",
    "read_files",
    "read_training_data",
]


@dataclass(frozen=True)
class Labels:
    """What the pictures of a set are, a row a picture in the order of `load_pictures`.

    values: [N, Y] float32, one-hot where the labels are classes. names: what the classes are called, Y of them or none.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...] = ()


def load_pictures(source: Path, resolution: int, split: str = TRAIN, at_most: int | None = None) -> NDArray[np.uint8]:
    """The pictures of `source`, the first `at_most` of them, as [N, 3, resolution, resolution] uint8, in order of their
    names. All are in memory: what a run shows is loaded by training.shuffled.

    A picture is cropped to its central square and resized by Lanczos. With an index.csv (columns
    file, split) inside the source or beside it (where it may be called like the source), only the rows
    of `split` are read; without one, all are, and there is no other split than train.
    """
    with opened_files(source) as files:
        names = names_of(files, split)[:at_most]
        pictures_NHWC = np.empty((len(names), resolution, resolution, 3), np.uint8)
        first = 0
        for part in decoded(files, names, resolution):
            pictures_NHWC[first : first + len(part)] = part
            first += len(part)
    return pictures_NHWC.transpose(0, 3, 1, 2)


def load_labels(source: Path, split: str = TRAIN) -> Labels | None:
    """The labels of `source`'s dataset.json for what `load_pictures` reads; None where it has none.

    Raises DatasetError where only some of the pictures have one.
    """
    with opened_files(source) as files:
        if files.description.labels is None:
            return None
        given, names = dict(files.description.labels), names_of(files, split)
        passport = files.description.personne or Passport()
    if missing := [name for name in names if name not in given]:
        raise DatasetError(f"the dataset.json of {source} has no label for {missing[0]}")
    return Labels(_as_rows([given[name] for name in names], list(given.values())), passport.class_names)


def read_training_data(source: Path) -> tuple[TrainingData, ...]:
    """Name, licence and attribution of the pictures, where `personne dataset pack` wrote them down."""
    with opened_files(source) as files:
        return files.description.personne.training_data if files.description.personne else ()


def read_files(source: Path, split: str = TRAIN) -> Iterator[tuple[str, bytes]]:
    """Name and content of each picture of `split`, as in `load_pictures`. Raises DatasetError where there is none."""
    with opened_files(source) as files:
        for name in names_of(files, split):
            yield name, files.read(name)


def names_of(files: PictureFiles, split: str = TRAIN) -> list[str]:
    """The pictures of a split, sorted. Raises DatasetError where there is none."""
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
