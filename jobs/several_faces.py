"""The kinds of job whose result shows several faces: a data set, a morph, a grid. See jobs.kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jobs.job_fields import AnimationFormat, BatchKey, Edits, Mixes, PictureFormat


@dataclass(frozen=True, slots=True)
class DatasetJob:
    """Faces of consecutive seeds, with their labels, as one zip. The result comes in parts.

    seed: of the first; count: how many. ranges: attributes, each with the lowest and the highest strength; every face
    draws its own in between, by its seed. All else: as of a GenerateJob.
    """

    kind: ClassVar[str] = "dataset"

    model: str
    seed: int
    count: int
    truncation_psi: float
    size: int
    format: PictureFormat
    label: int | None = None
    rotate: float = 0.0
    translate_x: float = 0.0
    translate_y: float = 0.0
    ranges: tuple[tuple[str, float, float], ...] = ()
    keep: tuple[str, ...] = ()
    directions: str = ""

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class MorphJob:
    """A face that turns into another, and on into the next, as a moving picture.

    seeds: two at least, in their order. frames: of the whole; fps: of them a second. loop: from the last face back to
    the first, and again and again; else it is played once, from the first face to the last. All else: of every frame,
    as of a GenerateJob.
    """

    kind: ClassVar[str] = "morph"

    model: str
    seeds: tuple[int, ...]
    frames: int
    fps: int
    loop: bool
    truncation_psi: float
    size: int
    format: AnimationFormat
    label: int | None = None
    rotate: float = 0.0
    translate_x: float = 0.0
    translate_y: float = 0.0
    edits: Edits = ()
    keep: tuple[str, ...] = ()
    directions: str = ""
    mix: Mixes = ()

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class GridJob:
    """Faces beside and below one another, as one picture.

    seeds: one at least. columns: cells in a row. sweep: nothing, or one attribute with its lowest and highest
    strength: then each seed has a row of its own, over which the attribute moves from one to the other in equal steps.
    size: side of a cell. All else: of every cell, as of a GenerateJob.
    """

    kind: ClassVar[str] = "grid"

    model: str
    seeds: tuple[int, ...]
    columns: int
    truncation_psi: float
    size: int
    format: PictureFormat
    sweep: tuple[tuple[str, float, float], ...] = ()
    label: int | None = None
    rotate: float = 0.0
    translate_x: float = 0.0
    translate_y: float = 0.0
    edits: Edits = ()
    keep: tuple[str, ...] = ()
    directions: str = ""
    mix: Mixes = ()

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)

    @property
    def count(self) -> int:
        """How many cells are drawn."""
        return len(self.seeds) * (self.columns if self.sweep else 1)

    @property
    def named_seeds(self) -> Mapping[str, str | int]:
        """As an address names them: the first and how many where they follow one another, else each."""
        first, count = self.seeds[0], len(self.seeds)
        if self.seeds == tuple(range(first, first + count)):
            return {"seed": first, "count": count}
        return {"seeds": ",".join(map(str, self.seeds))}
