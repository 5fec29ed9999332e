"""Aligned faces with their landmarks, in memory."""
# N faces, C channel, S side

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.dataset import load_pictures
from training.errors import DatasetError
from training.picture_files import TRAIN, Row, opened_files

NUMBERS = 10


@dataclass(frozen=True)
class LabelledFaces:
    """pictures: [N, 3, S, S] uint8. landmarks: [N, 5, 2], x and y in pixels of those."""

    pictures: Tensor
    landmarks: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def side(self) -> int:
        return int(self.pictures.shape[-1])


def load_faces(source: Path, side: int, labelled_side: int, split: str = TRAIN) -> LabelledFaces:
    """The pictures, resized to `side`, of a folder or zip whose index.csv has the columns file, split and landmarks.

    landmarks: ten numbers in pixels of a picture with sides of `labelled_side`: left-in-image eye, right-in-image eye,
    nose, left and right mouth corner. Raises DatasetError.
    """
    pictures = load_pictures(source, side, split)
    with opened_files(source) as files:
        rows = files.rows or {}
        numbers = [_numbers(rows.get(name, {}), name) for name in files.of_split(split)]
    landmarks = np.array(numbers, np.float32).reshape(-1, NUMBERS // 2, 2) * (side / labelled_side)
    return LabelledFaces(torch.from_numpy(pictures), torch.from_numpy(landmarks))


def _numbers(row: Row, name: str) -> list[float]:
    """Raises DatasetError."""
    try:
        numbers = [float(number) for number in row["landmarks"].split()]
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{name} has no landmarks: they are the column landmarks of an index.csv") from error
    if len(numbers) != NUMBERS:
        raise DatasetError(f"{name} has {len(numbers)} numbers as landmarks; {NUMBERS} are x and y of five points")
    return numbers
