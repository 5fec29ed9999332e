"""personne dataset inspect, pack and split: pictures become a data set that training can trust."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from models.manifest import TrainingData
from personne.errors import AlreadyThere
from personne.progress import shown_count
from training.atomic import written_whole
from training.errors import DatasetError
from training.inspection import ONE_SIDED, Inspection, Look, duplicates, inspect, look_at
from training.packing import NOT_STATED, classes, read_sources, training_data, write_zip
from training.picture_files import TRAIN, Passport, PictureFiles, by_name, opened_files, read_rows
from training.splitting import split_pictures, write_index

FEW = 5
Say = Callable[[str], None]


@dataclass(frozen=True)
class PackWish:
    """What the zip shall be.

    label: a column whose values become classes; unlabelled: the class of pictures without one (they stay out where it
    is None). smallest: least side of a picture's central square in pixels. sources: a JSON file of origins.
    """

    resolution: int
    split: str = TRAIN
    label: str | None = None
    unlabelled: str | None = None
    smallest: int | None = None
    keep_duplicates: bool = False
    name: str | None = None
    licence: str | None = None
    attribution: str = ""
    sources: Path | None = None


def inspect_dataset(source: Path, *, labels: Path | None, smallest: int, out: Path | None, say: Say) -> Inspection:
    """Look at every picture, say what is wrong, and write all of it as JSON to `out` where that is given."""
    with _opened(source, labels) as files:
        found = inspect(files, _looks(files, files.names), smallest)
    for line in _lines(found, smallest):
        say(line)
    if out is not None:
        with written_whole(out) as temporary:
            temporary.write_text(json.dumps(found.to_plain(), indent=2) + "\n", encoding="utf-8")
    return found


def pack_dataset(source: Path, out: Path, wish: PackWish, *, labels: Path | None, force: bool, say: Say) -> None:
    """Write a zip of the good pictures of a split and say what stayed out. Raises TrainingError, AlreadyThere."""
    _check_free(out, force)
    with _opened(source, labels) as files:
        names = _good(files, wish, say)
        rows = files.rows or {}
        numbers, called = classes(names, rows, wish.label, wish.unlabelled) if wish.label else (None, ())
        if numbers is not None:
            _say_left_out(say, [name for name in names if name not in numbers], f"without a value in {wish.label}")
            names = [name for name in names if name in numbers]
        if not names:
            raise DatasetError(f"no picture of {source} can be packed")
        passport = Passport(
            split=wish.split,
            resolution=wish.resolution,
            class_names=called,
            training_data=_origins(files, names, wish, source),
        )
        with shown_count("packing", len(names)) as advance:
            write_zip(out, files, names, passport, labels=numbers, advance=advance)
    _say_packed(say, out, len(names), passport, numbers)


def split_dataset(
    source: Path, out: Path | None, *, labels: Path | None, by: str, share: float, seed: int, force: bool, say: Say
) -> Path:
    """Write an index that keeps people and duplicates on one side; returns its path, beside the source by default."""
    path = out or source.with_name(f"{source.name if source.is_dir() else source.stem}.csv")
    _check_free(path, force)
    with _opened(source, labels) as files:
        looks = [look for look in _looks(files, files.names) if not look.trouble]
        rows = files.rows or {}
    names = [look.name for look in looks]
    same = duplicates(looks)
    splits = split_pictures(names, same, rows, by=by, share=share, seed=seed)
    write_index(path, splits, rows)
    test = sum(split != TRAIN for split in splits.values())
    together = f", {len(same)} groups of duplicates" if same else ""
    say(f"{len(names) - test} pictures to train on and {test} held out{together}: {path}.")
    return path


@contextlib.contextmanager
def _opened(source: Path, labels: Path | None) -> Iterator[PictureFiles]:
    """The files of a source, with the rows of a CSV of labels in place of its own index where that is given."""
    with opened_files(source) as files:
        if labels is None:
            yield files
        else:
            rows = read_rows(labels.read_bytes(), str(labels))
            found = by_name(rows, files.names, str(labels))
            if rows and files.names and not found:
                raise DatasetError(
                    f"{labels} has {len(rows)} rows, none of a picture of {source}: it says {rows[0]['file']!r}, "
                    f"and there is {files.names[0]!r}"
                )
            yield replace(files, rows=found)


def _looks(files: PictureFiles, names: list[str] | tuple[str, ...]) -> list[Look]:
    if not names:
        raise DatasetError(f"{files.source} holds no pictures")
    with shown_count("looking", len(names)) as advance:
        return look_at(files, names, advance)


def _good(files: PictureFiles, wish: PackWish, say: Say) -> list[str]:
    """The pictures of the split that are whole, large enough and there once."""
    without_splits = files.rows is not None and not any("split" in row for row in files.rows.values())
    chosen = list(files.names) if without_splits else files.of_split(wish.split)
    if not chosen:
        raise DatasetError(f"{files.source} holds no pictures of the split {wish.split!r}")
    looks = _looks(files, chosen)
    smallest = wish.resolution // 2 if wish.smallest is None else wish.smallest
    whole = [look for look in looks if not look.trouble]
    large = [look for look in whole if look.side >= smallest]
    again = set() if wish.keep_duplicates else {name for group in duplicates(large) for name in group[1:]}
    _say_left_out(say, [look.name for look in looks if look.trouble], "that cannot be read")
    _say_left_out(say, [look.name for look in whole if look.side < smallest], f"under {smallest} pixels")
    _say_left_out(say, sorted(again), "that are there already")
    return [look.name for look in large if look.name not in again]


def _origins(files: PictureFiles, names: list[str], wish: PackWish, source: Path) -> tuple[TrainingData, ...]:
    had = files.description.personne
    if had and had.training_data and not (wish.name or wish.licence or wish.sources):
        return had.training_data
    otherwise = TrainingData(
        name=wish.name or source.stem, images=0, licence=wish.licence or NOT_STATED, attribution=wish.attribution
    )
    return training_data(names, files.rows or {}, read_sources(wish.sources) if wish.sources else {}, otherwise)


def _say_left_out(say: Say, names: list[str], why: str) -> None:
    if names:
        say(f"{len(names)} left out {why}: {_few(names)}")


def _say_packed(say: Say, out: Path, count: int, passport: Passport, numbers: dict[str, int] | None) -> None:
    say(f"{count} pictures of {passport.resolution}x{passport.resolution} are in {out}.")
    if numbers is not None:
        totals = [list(numbers.values()).count(number) for number in range(len(passport.class_names))]
        say("Classes: " + ", ".join(f"{name} {n}" for name, n in zip(passport.class_names, totals, strict=True)) + ".")
    if any(data.licence == NOT_STATED for data in passport.training_data):
        say("Some pictures have no licence: --licence or --sources says it, and a model's card will repeat it.")


def _lines(found: Inspection, smallest: int) -> list[str]:
    low, middle, high = found.sides
    splits = "".join(f", {split} {count}" for split, count in found.splits.items())
    lines = [f"{found.pictures} pictures{splits}; sides {low} to {high} pixels, median {middle}."]
    rows = {
        "cannot be read": list(found.broken),
        f"under {smallest} pixels": found.tiny,
        "not square (their middle is used)": found.not_square,
        "groups of one picture": [" = ".join(group) for group in found.duplicates],
        "groups on both sides of a split": [" | ".join(group) for group in found.crossing],
    }
    lines += [f"{len(names)} {what}: {_few(names)}" for what, names in rows.items() if names]
    if found.one_sidedness >= ONE_SIDED:
        lines.append(
            f"They are unlike their mirror images ({found.one_sidedness:.1f} times chance: light from one side, say): "
            "let the training end with --set mirror=false."
        )
    return lines if len(lines) > 1 else [*lines, "Nothing is wrong with them."]


def _few(names: list[str]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


def _check_free(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise AlreadyThere(path)
