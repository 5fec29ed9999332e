"""personne directions: boundaries taken from files and examples, names given and taken away, all of them listed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from models.catalogue import ModelEntry
from models.direction_files import change_directions, read_boundary, read_directions
from models.directions import (
    Direction,
    Directions,
    DirectionsRefused,
    Space,
    check_edits,
    conditioned,
    unit_direction,
)
from models.errors import NoSuchAttribute
from personne.commands.directions_range import RangeMeasure
from personne.commands.latent_faces import opened_faces
from personne.commands.sample import parse_seeds

SAME = 1e-5
COLUMNS = ("name", "range", "space", "method", "accuracy", "measure", "meaning")


def import_boundary(
    entry: ModelEntry, source: Path, name: str, space: Space, *, meaning: str, limits: tuple[float, float]
) -> Directions:
    """Put a published boundary into the model's folder. Raises DirectionsRefused."""
    _ = entry.generator
    found = read_boundary(source, name, space)
    return _saved(entry, replace(found, meaning=meaning, low=limits[0], high=limits[1]))


def import_directions(entry: ModelEntry, source: Path, name: str | None) -> Directions:
    """Put the directions of a file into the model's folder, in place of those of the same names. name: for the only one
    of a file. Raises DirectionsRefused."""
    found = list(read_directions(source, entry.generator).values())
    if name is not None:
        if len(found) != 1:
            raise DirectionsRefused(f"{source} has {len(found)} directions, each with its name; leave --as out.")
        found = [replace(found[0], name=name)]
    return _saved(entry, *found)


def difference_of_examples(
    entry: ModelEntry, name: str, plus: str, minus: str, *, meaning: str, device: str
) -> Directions:
    """The mean w of some seeds less that of others: latent arithmetic. Raises BadSeeds, DirectionsRefused."""
    _ = entry.generator
    with opened_faces(entry, device) as faces:
        means = []
        for seeds in (plus, minus):
            z = np.concatenate([faces.z_of(range(seed, seed + 1)) for seed in parse_seeds(seeds)])
            means.append(faces.ws_of(z)[:, 0].mean(axis=0))
        difference = means[0] - means[1]
        direction = Direction(
            name=name,
            space="w",
            vector=unit_direction(difference),
            unit=float(np.linalg.norm(difference)) or 1.0,
            method="arithmetic",
            measure=f"seeds {plus} less {minus}",
            meaning=meaning,
        )
        low, high = RangeMeasure(faces).of(direction)
    return _saved(entry, replace(direction, low=low, high=high))


def condition_direction(entry: ModelEntry, name: str, others: Sequence[str], *, device: str) -> Directions:
    """Put a direction out of the way of others, for good, and measure its range again (conditional boundaries).

    Raises NoSuchAttribute, EditRefused.
    """
    direction, layers = _known(entry, name), entry.generator.num_ws
    _, kept = check_edits(
        entry.manifest.name, entry.directions, {name: direction.high or direction.low}, others, layers
    )
    normal = conditioned(direction.normal(layers), [_known(entry, other).normal(layers) for other in kept], name)
    # The same in all layers is stored once.
    rows = normal[:1] if np.ptp(normal, axis=0).max() < SAME else normal
    told = replace(direction, vector=unit_direction(rows), layers=None, measure=_without(direction, kept))
    with opened_faces(entry, device) as faces:
        low, high = RangeMeasure(faces).of(told)
    return _saved(entry, replace(told, low=low, high=high))


def rename_direction(
    entry: ModelEntry, old: str, new: str, *, meaning: str, flip: bool, limits: tuple[float | None, float | None]
) -> Directions:
    """Give a direction a name, limits where they are given, and turn it round if asked.

    Raises NoSuchAttribute, and DirectionsRefused where another direction has that name.
    """
    direction = _known(entry, old)
    if new != old and new in entry.directions:
        raise DirectionsRefused(
            f"{entry.manifest.name!r} has a direction {new!r} already, which would be lost: choose another name, or "
            f"forget that one first (personne directions remove {entry.manifest.name} {new})."
        )
    if flip:
        direction = replace(direction, vector=-direction.vector, low=-direction.high, high=-direction.low)
    low, high = (
        own if given is None else given for own, given in zip((direction.low, direction.high), limits, strict=True)
    )
    named = replace(direction, name=new, meaning=meaning or direction.meaning, low=low, high=high)
    return _saved(entry, named, without=(old,))


def remove_directions(entry: ModelEntry, names: Sequence[str]) -> Directions:
    """Forget some. Raises NoSuchAttribute."""
    for name in names:
        _known(entry, name)
    return _saved(entry, without=names)


def list_directions(directions: Directions) -> None:
    """Print all of them."""
    # What somebody wrote of a direction may have brackets, which would be taken for colours.
    console = Console(markup=False, emoji=False)
    if not directions:
        console.print("The model has no directions: `personne directions find` looks for some.")
        return
    table = Table(*COLUMNS)
    for one in directions.values():
        accuracy = "" if one.accuracy is None else f"{one.accuracy:.1%}"
        table.add_row(
            one.name, f"{one.low:g} to {one.high:g}", one.space, one.method, accuracy, one.measure, one.meaning
        )
    console.print(table)


def layer_range(text: str | None) -> tuple[int, int] | None:
    """ "2-5" -> (2, 6): layers 2 to 5. Raises ValueError."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text)
    if match is None or int(match[1]) > int(match[2] or match[1]):
        raise ValueError(f"{text!r} is no range of layers: write 2-5, or 3; the first is 0.")
    return int(match[1]), int(match[2] or match[1]) + 1


def space_of(text: str) -> Space:
    """Raises ValueError."""
    if text == "z":
        return "z"
    if text == "w":
        return "w"
    raise ValueError(f"{text!r} is no space: a direction lies in w or in z.")


def _saved(entry: ModelEntry, *added: Direction, without: Sequence[str] = ()) -> Directions:
    gone = {*without, *(one.name for one in added)}

    def changed(present: Directions) -> list[Direction]:
        return [*(one for name, one in present.items() if name not in gone), *added]

    return change_directions(entry.folder, entry.generator, changed)


def _without(direction: Direction, others: Sequence[str]) -> str:
    return f"{direction.measure}; without {', '.join(others)}".removeprefix("; ")


def _known(entry: ModelEntry, name: str) -> Direction:
    if name not in entry.directions:
        raise NoSuchAttribute(name, entry.manifest.name, list(entry.directions))
    return entry.directions[name]
