"""personne edit: the faces of seeds, moved along attributes, as files. The worker's own task draws them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jobs.contract import GenerateJob
from marks.stamp import UNMARKED, Stamp
from models.catalogue import ModelEntry
from models.directions import check_edits
from personne.commands.sample import sample_faces
from personne.errors import BadEdits


def edit_faces(
    pattern: GenerateJob,
    entry: ModelEntry,
    attributes: Sequence[str],
    keep: str | None,
    *,
    seeds: str,
    out: Path,
    grid: bool,
    device: str,
    stamp: Stamp = UNMARKED,
) -> int:
    """As `sample_faces`, each face moved. attributes: "smile=1.5", one each. keep: "age,gender".

    Raises BadEdits, BadSeeds, NoSuchAttribute, AttributeOutOfRange, EditRefused.
    """
    moved = edited(pattern, entry, attributes, keep)
    return sample_faces(moved, entry, seeds=seeds, out=out, grid=grid, device=device, stamp=stamp)


def edited(pattern: GenerateJob, entry: ModelEntry, attributes: Sequence[str], keep: str | None) -> GenerateJob:
    """The same, moved. Raises BadEdits, NoSuchAttribute, AttributeOutOfRange, EditRefused."""
    kept = [name for name in (keep or "").split(",") if name]
    layers = entry.generator.num_ws
    edits, kept_names = check_edits(entry.manifest.name, entry.directions, parse_edits(attributes), kept, layers)
    return replace(pattern, edits=edits, keep=kept_names, directions=entry.directions.digest if edits else "")


def parse_edits(texts: Sequence[str]) -> dict[str, float]:
    """["smile=1.5", "age=-2"] -> {"smile": 1.5, "age": -2.0}. Raises BadEdits."""
    edits: dict[str, float] = {}
    for text in texts:
        name, given, strength = text.partition("=")
        try:
            if not given or name in edits:
                raise BadEdits(text)
            edits[name] = float(strength)
        except ValueError:
            raise BadEdits(text) from None
    return edits
