"""Portraits with what is known of them: labels of the index, landmarks, and what was sorted by eye.

smiles.csv: teeth shown in a smile (1) or a closed mouth (0). Portraits of the test split were looked at one by one, the
doubtful ones left out. Of the training split, crops of mouths were put into twenty clusters, ten of which were named by
eye; a linear classifier of these sorted all, and its lowest 30 and highest 40 per cent are listed. Of the test
portraits it had 6 % of the smiles and 19 % of the closed mouths at the wrong end.

glasses_beards.csv: glasses (1) or none (0), a beard or a moustache (1) or neither (0), looked at one by one on sheets;
the doubtful are left empty. All of the test split, 600 of the training split drawn at random, and those of the rest to
which a first network gave the highest scores, so that the rarer kinds are many: shares of the list are no shares of the
portraits. Nothing says whether a mouth is open: the index has its corners, not its lips.
"""
# N pictures, K attributes, C channel, H W picture

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.estimates import ESTIMATES, SIDE, AttributeEstimate
from training.dataset import INDEX_NAME, read_files
from training.decoding import read_rgb
from training.errors import DatasetError

SMILES = Path(__file__).with_name("smiles.csv")
GLASSES_BEARDS = Path(__file__).with_name("glasses_beards.csv")
WORN = ("glasses", "beard")
FIRST_CONGRESS = 1789
AGES = ((0, 50), (50, 65), (65, 200))
"""Age bands in which accuracy is told apart."""
LEARNT: tuple[AttributeEstimate, ...] = tuple(one for one in ESTIMATES if not one.from_pixels)
"""What networks learn; the rest is computed from pixels."""
GROUPS = tuple(tuple(one for one in LEARNT if (one.name in WORN) == worn) for worn in (False, True))
"""Each has a network of its own: of the second fewer portraits are labelled."""


@dataclass(frozen=True)
class Portraits:
    """pictures [N, 3, SIDE, SIDE] uint8; labels [N, K] float32 in the order of LEARNT, nan where nothing is known."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pictures)

    def labelled(self, group: Sequence[AttributeEstimate]) -> "Portraits":
        """Those of which something of a group is known, with labels of this group alone."""
        labels = self.labels[:, [LEARNT.index(one) for one in group]]
        known = ~np.isnan(labels).all(axis=1)
        return Portraits(self.pictures[known], labels[known])


def load_portraits(source: Path, split: str) -> Portraits:
    """The portraits of `source` (a folder of aligned faces with an index.csv beside it) that belong to `split`.

    Raises DatasetError where there is no such index or picture.
    """
    index = source.parent / INDEX_NAME
    if not index.is_file():
        raise DatasetError(f"{index} is missing: estimators need its labels (gender, birth_year, landmarks ...)")
    with index.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    smiles, worn = _seen(SMILES), _seen(GLASSES_BEARDS)
    seen = {name: smiles.get(name, {}) | worn.get(name, {}) for name in rows}
    pictures, labels = [], []
    for name, data in read_files(source, split):
        small = read_rgb(data, name).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        pictures.append(np.asarray(small).transpose(2, 0, 1))
        labels.append(_labels(rows[name], seen[name]))
    return Portraits(np.stack(pictures), np.array(labels, np.float32))


def mirrored(labels_NK: NDArray[np.float32], group: Sequence[AttributeEstimate] = LEARNT) -> NDArray[np.float32]:
    """The labels of the mirror images: who looked left looks right."""
    signs = np.array([-1.0 if one.turns_with_mirror else 1.0 for one in group], np.float32)
    return labels_NK * signs


def age_of(row: dict[str, str]) -> float | None:
    """Years at the beginning of the last congress that the person sat in, which is about when the portrait was made."""
    if not row["birth_year"] or not row["last_congress"]:
        return None
    return FIRST_CONGRESS + 2 * (int(row["last_congress"]) - 1) - int(row["birth_year"])


def _seen(path: Path) -> dict[str, dict[str, float]]:
    """What was seen by eye, by picture and attribute."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row.pop("file"): row for row in csv.DictReader(file)}
    return {file: {name: float(value) for name, value in row.items() if value} for file, row in rows.items()}


def _labels(row: dict[str, str], seen: dict[str, float]) -> list[float]:
    known = {
        "gender": {"M": 1.0, "F": 0.0}.get(row["gender"]),
        "age": age_of(row),
        "pose": float(row["yaw"]),
        **seen,
    }
    return [float("nan") if (value := known.get(one.name)) is None else value for one in LEARNT]
