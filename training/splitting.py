"""Which pictures a model trains on and which are kept from it: nobody, and no picture, on both sides."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from training.atomic import written_whole
from training.errors import DatasetError
from training.likeness import grouped, join
from training.picture_files import TEST, TRAIN, Row


def split_pictures(
    names: Sequence[str],
    duplicates: Sequence[Sequence[str]],
    rows: Mapping[str, Row],
    *,
    by: str = "person",
    share: float = 0.05,
    seed: int = 0,
) -> dict[str, str]:
    """The split of each picture. Pictures of one value in the column `by`, and duplicates, go together.

    The test split takes groups in a random order while they fit into `share` of the pictures. Raises DatasetError where
    none fits.
    """
    place = {name: i for i, name in enumerate(names)}
    leaders = list(range(len(names)))
    for group in [*duplicates, *_of_one_value(names, rows, by)]:
        for name in group[1:]:
            join(leaders, place[group[0]], place[name])
    groups = grouped(leaders, smallest=1)
    room, test = round(share * len(names)), set[str]()
    for chosen in np.random.RandomState(seed).permutation(len(groups)):
        if len(test) + len(groups[chosen]) <= room:
            test.update(names[i] for i in groups[chosen])
    if not test:
        raise DatasetError(
            f"none of the {len(groups)} groups of pictures that belong together fits into a test split of {room}; "
            "take a larger share"
        )
    if len(test) == len(names):
        raise DatasetError("all pictures would be held out, and none left to train on; take a smaller share")
    return {name: TEST if name in test else TRAIN for name in names}


def write_index(path: Path, splits: Mapping[str, str], rows: Mapping[str, Row]) -> None:
    """Write an index.csv whole: file, split, and what else was known of each picture.

    Raises DatasetError for a name that is no UTF-8, as an index.csv is.
    """
    for name in splits:
        try:
            name.encode()
        except UnicodeEncodeError:
            readable = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
            raise DatasetError(f"the name of {readable} is no UTF-8, in which an index is written; rename it") from None
    others = dict.fromkeys(column for row in rows.values() for column in row if column not in {"file", "split"})
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["file", "split", *others], restval="", extrasaction="ignore")
        writer.writeheader()
        for name, split in splits.items():
            writer.writerow({**rows.get(name, {}), "file": name, "split": split})


def _of_one_value(names: Sequence[str], rows: Mapping[str, Row], column: str) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        if value := rows.get(name, {}).get(column):
            groups.setdefault(value, []).append(name)
    return list(groups.values())
