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

MOST_CLASSES = 10_000
"""Beyond it is no label but a mistake, such as a year or an identifier: each class is a column."""

Label = int | tuple[float, ...]


@dataclass(frozen=True)
class Labels:
    """What the pictures of a set are, a row a picture in the order of `load_pictures`.

    values: [N, Y] float32, one-hot where the labels are classes. names: what the classes are called, Y of them or none.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...] = ()


def load_pictures(source: Path, resolution: int, split: str = TRAIN, at_most: int | None = None) -> NDArray[np.uint8]:
    """The pictures of `source`, `at_most` so many, evenly spaced, as [N, 3, resolution, resolution] uint8, in order of
    their names. All are in memory: what a run shows is loaded by training.shuffled.

    A picture is cropped to its central square and resized by Lanczos. With an index.csv (columns
    file, split) inside the source or beside it (where it may be called like the source), only the rows
    of `split` are read; without one, all are, and there is no other split than train.
    """
    with opened_files(source) as files:
        names = _thinned(names_of(files, split), at_most)
        pictures_NHWC = np.empty((len(names), resolution, resolution, 3), np.uint8)
        first = 0
        for part in decoded(files, names, resolution):
            pictures_NHWC[first : first + len(part)] = part
            first += len(part)
    return pictures_NHWC.transpose(0, 3, 1, 2)


def load_labels(source: Path, split: str = TRAIN, at_most: int | None = None) -> Labels | None:
    """The labels of `source`'s dataset.json for what `load_pictures` reads; None where it has none.

    Raises DatasetError where only some of the pictures have one, and for labels that are none.
    """
    with opened_files(source) as files:
        if files.description.labels is None:
            return None
        given, names = dict(files.description.labels), _thinned(names_of(files, split), at_most)
        twice = next((name for name, label in files.description.labels if given[name] != label), None)
        passport = files.description.personne or Passport()
    if missing := [name for name in names if name not in given]:
        raise DatasetError(f"the dataset.json of {source} has no label for {missing[0]}")
    if twice is not None:
        raise DatasetError(f"the dataset.json of {source} has two labels for {twice}")
    return Labels(_as_rows([given[name] for name in names], list(given.values()), source), passport.class_names)


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


def _thinned(names: list[str], at_most: int | None) -> list[str]:
    if at_most is None or len(names) <= at_most:
        return names
    return [names[i * len(names) // at_most] for i in range(at_most)]


def _as_rows(chosen: list[Label], given: list[Label], source: Path) -> NDArray[np.float32]:
    """given: all labels of the source, from which how many classes there are is told."""
    numbers = [label for label in given if isinstance(label, int)]
    if not numbers:
        widths = {len(label) for label in given if not isinstance(label, int)}
        if len(widths) != 1 or 0 in widths:
            raise DatasetError(f"the labels of {source} are vectors of {_listed(widths)} numbers; all must be as long")
        return np.array(chosen, np.float32)
    if len(numbers) < len(given):
        raise DatasetError(f"some labels of {source} are numbers of classes and some are vectors")
    if min(numbers) < 0 or max(numbers) >= MOST_CLASSES:
        worst = min(numbers) if min(numbers) < 0 else max(numbers)
        raise DatasetError(
            f"{source} has the label {worst}; classes are numbered from 0 to {MOST_CLASSES - 1:,} at most"
        )
    rows: NDArray[np.float32] = np.eye(1 + max(numbers), dtype=np.float32)[np.array(chosen)]
    return rows


def _listed(widths: set[int]) -> str:
    return " and ".join(map(str, sorted(widths)))
