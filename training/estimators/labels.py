"""Portraits with what is known of them: labels of the index, landmarks, and smiles that were sorted by eye.

smiles.csv: teeth shown in a smile (1) or a closed mouth (0). Portraits of the test split were looked at one by one, the
doubtful ones left out. Of the training split, crops of mouths were put into twenty clusters, ten of which were named by
eye; a linear classifier of these sorted all, and its lowest 30 and highest 40 per cent are listed. Of the test
portraits it had 6 % of the smiles and 19 % of the closed mouths at the wrong end.
"""
# N pictures, K attributes, C channel, H W picture

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.estimates import ESTIMATES, SIDE, AttributeEstimate
from training.dataset import INDEX_NAME, read_files, read_rgb
from training.errors import DatasetError

SMILES = Path(__file__).with_name("smiles.csv")
FIRST_CONGRESS = 1789
AGES = ((0, 50), (50, 65), (65, 200))
"""Age bands in which accuracy is told apart."""
LEARNT: tuple[AttributeEstimate, ...] = tuple(one for one in ESTIMATES if not one.from_pixels)
"""What the network learns; the rest is computed from pixels."""


@dataclass(frozen=True)
class Portraits:
    """pictures [N, 3, SIDE, SIDE] uint8; labels [N, K] float32 in the order of LEARNT, nan where nothing is known."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pictures)


def load_portraits(source: Path, split: str) -> Portraits:
    """The portraits of `source` (a folder of aligned faces with an index.csv beside it) that belong to `split`.

    Raises DatasetError where there is no such index or picture.
    """
    index = source.parent / INDEX_NAME
    if not index.is_file():
        raise DatasetError(f"{index} is missing: estimators need its labels (gender, birth_year, landmarks ...)")
    with index.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    with SMILES.open(encoding="utf-8", newline="") as file:
        smiles = {row["file"]: float(row["smile"]) for row in csv.DictReader(file)}
    pictures, labels = [], []
    for name, data in read_files(source, split):
        small = read_rgb(data, name).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        pictures.append(np.asarray(small).transpose(2, 0, 1))
        labels.append(_labels(rows[name], smiles.get(name)))
    return Portraits(np.stack(pictures), np.array(labels, np.float32))


def mirrored(labels_NK: NDArray[np.float32]) -> NDArray[np.float32]:
    """The labels of the mirror images: who looked left looks right."""
    signs = np.array([-1.0 if one.turns_with_mirror else 1.0 for one in LEARNT], np.float32)
    return labels_NK * signs


def age_of(row: dict[str, str]) -> float | None:
    """Years at the beginning of the last congress that the person sat in, which is about when the portrait was made."""
    if not row["birth_year"] or not row["last_congress"]:
        return None
    return FIRST_CONGRESS + 2 * (int(row["last_congress"]) - 1) - int(row["birth_year"])


def _labels(row: dict[str, str], smile: float | None) -> list[float]:
    known = {
        "gender": {"M": 1.0, "F": 0.0}.get(row["gender"]),
        "age": age_of(row),
        "pose": float(row["yaw"]),
        "smile": smile,
    }
    return [float("nan") if (value := known[one.name]) is None else value for one in LEARNT]
