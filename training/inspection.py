"""What is wrong with a set of pictures, before a training run finds out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from training.decoding import read_rgb
from training.errors import DatasetError
from training.likeness import Hash, one_sidedness, perceptual_hash, same_pictures
from training.picture_files import PictureFiles

SMALLEST = 64
ONE_SIDED = 2.0
"""One-sidedness from which a generator of mirrored pictures draws something else than the pictures are."""


@dataclass(frozen=True)
class Look:
    """One picture looked at. trouble: why it cannot be read; then it has no size and no hash."""

    name: str
    width: int = 0
    height: int = 0
    hash: Hash | None = None
    trouble: str = ""

    @property
    def side(self) -> int:
        """Of its central square, in pixels."""
        return min(self.width, self.height)


@dataclass(frozen=True)
class Inspection:
    """What there is to say of a set. duplicates: groups of one picture, largest first; crossing: names of groups and
    persons that lie in more than one split."""

    pictures: int
    broken: dict[str, str] = field(default_factory=dict)
    tiny: list[str] = field(default_factory=list)
    not_square: list[str] = field(default_factory=list)
    duplicates: list[list[str]] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)
    crossing: list[list[str]] = field(default_factory=list)
    sides: tuple[int, int, int] = (0, 0, 0)
    """Smallest, median and largest side of the central squares."""
    one_sidedness: float = 0.0
    """See training.likeness."""

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**vars(self), "sides": dict(zip(("smallest", "median", "largest"), self.sides, strict=True))}


def look_at(files: PictureFiles, names: Sequence[str], advance: Callable[[int], None] = lambda _: None) -> list[Look]:
    """Open each picture. `advance` is told how many more are done."""
    looks = []
    for name in names:
        looks.append(_looked(files, name))
        advance(1)
    return looks


def inspect(
    files: PictureFiles, looks: Sequence[Look], smallest: int = SMALLEST, person_column: str = "person"
) -> Inspection:
    """What the looks say together. tiny: a central square under `smallest` pixels."""
    whole = [look for look in looks if not look.trouble]
    sides = sorted(look.side for look in whole) or [0]
    groups = duplicates(whole)
    rows = files.rows or {}
    return Inspection(
        pictures=len(looks),
        broken={look.name: look.trouble for look in looks if look.trouble},
        tiny=[look.name for look in whole if look.side < smallest],
        not_square=[look.name for look in whole if look.width != look.height],
        duplicates=groups,
        splits=dict(Counter(row["split"] for row in rows.values() if "split" in row)),
        crossing=[
            group
            for group in [*groups, *_of_one(rows, person_column)]
            if len({rows[name].get("split") for name in group if name in rows}) > 1
        ],
        sides=(sides[0], sides[len(sides) // 2], sides[-1]),
        one_sidedness=one_sidedness([look.hash for look in whole if look.hash is not None]),
    )


def duplicates(looks: Sequence[Look]) -> list[list[str]]:
    """Names of pictures that are the same or mirrored, a group a picture, the largest of each first."""
    hashed = [(look, look.hash) for look in looks if look.hash is not None]
    groups = same_pictures([one for _, one in hashed])
    by_size = [sorted((hashed[place][0] for place in group), key=lambda look: -look.side) for group in groups]
    return [[look.name for look in group] for group in by_size]


def _looked(files: PictureFiles, name: str) -> Look:
    try:
        picture = read_rgb(files.read(name), name)
    except (DatasetError, OSError) as error:
        return Look(name, trouble=str(error))
    return Look(name, picture.width, picture.height, perceptual_hash(picture))


def _of_one(rows: dict[str, dict[str, str]], column: str) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name, row in rows.items():
        if row.get(column):
            groups.setdefault(row[column], []).append(name)
    return [group for group in groups.values() if len(group) > 1]
