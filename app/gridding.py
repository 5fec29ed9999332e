"""A query becomes a GridJob, and that its permanent address."""

import math
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field

from app.errors import MAX_SEED, GridTooLarge, GridUnclear, SeedOutOfRange
from app.ordering import Ordering, plain_number, query_of, read_seed
from app.schemas import PermanentQuery
from jobs.contract import GenerateJob, GridJob, PictureFormat
from models.ranges import RANGE, Ranges, range_text, read_range

MOST_CELLS = 256
MOST_PIXELS = 2**24
"""Of the whole: a worker holds it all, 50 MB at three bytes each. 64 cells of 512, or 16 of 1024."""
MOST_ALONG = 16_383
"""Pixels of a side: no WebP has more."""
DEFAULT_COUNT, DEFAULT_ROWS, DEFAULT_STEPS = 16, 4, 5
MOST_STEPS = 32
LONGEST_LIST = 1000
"""Characters of seeds=: what a recipe may hold."""
StrengthRange = Annotated[str, Field(pattern=RANGE)]


class GridQuery(PermanentQuery):
    """What may be asked of a grid. All else than the faces counts for every cell; one attribute may be a range."""

    __pydantic_extra__: dict[str, StrengthRange]  # type: ignore[assignment]

    seed: Annotated[
        str | None, Field(max_length=20, description="Of the first face; the others follow it. 0.", examples=["7"])
    ] = None
    count: Annotated[
        int | None,
        Field(
            ge=1,
            le=MOST_CELLS,
            description=f"How many faces. {DEFAULT_COUNT}; {DEFAULT_ROWS} where an attribute moves over the row.",
            examples=[12],
        ),
    ] = None
    seeds: Annotated[
        str | None,
        Field(
            max_length=LONGEST_LIST,
            pattern=r"^\d+(,\d+)*$",
            description="Instead of seed and count: the seeds, with commas between.",
            examples=["1,2,3"],
        ),
    ] = None
    columns: Annotated[
        int | None,
        Field(
            ge=1,
            le=MOST_CELLS,
            description="Cells in a row; unless given, about as many as there are rows.",
            examples=[4],
        ),
    ] = None
    steps: Annotated[
        int | None,
        Field(
            ge=2,
            le=MOST_STEPS,
            description=f"Where one attribute is a range, smile=-2..2: each face has a row of its own, over which the "
            f"attribute moves from the lower strength to the higher in so many cells. {DEFAULT_STEPS}.",
            examples=[5],
        ),
    ] = None
    format: Annotated[PictureFormat, Field(description="How the picture is encoded.", examples=["png"])] = (
        PictureFormat.JPEG
    )

    @property
    def faces(self) -> tuple[int, ...]:
        """The seeds. Raises GridUnclear, GridTooLarge, SeedOutOfRange."""
        if self.seeds is None:
            return self._following
        if self.seed is not None or self.count is not None:
            raise GridUnclear("Name the faces either by seeds= or by seed= and count=.")
        texts = self.seeds.split(",")
        if len(texts) > MOST_CELLS:
            raise GridTooLarge(f"seeds= names {len(texts)} faces; a grid has {MOST_CELLS} cells at most.", MOST_CELLS)
        return tuple(read_seed(text) for text in texts)

    @property
    def _following(self) -> tuple[int, ...]:
        first = read_seed("0" if self.seed is None else self.seed)
        count = self.count or (DEFAULT_ROWS if self.moves[1] else DEFAULT_COUNT)
        if first + count - 1 > MAX_SEED:
            raise SeedOutOfRange
        return tuple(range(first, first + count))

    @property
    def moves(self) -> tuple[Ranges, Ranges]:
        """What is the same in every cell, and what moves over a row: nothing or one attribute. Raises GridUnclear."""
        ranges = tuple((name, *read_range(text)) for name, text in sorted((self.model_extra or {}).items()))
        swept = tuple(one for one in ranges if one[1] != one[2])
        if len(swept) > 1:
            names = " and ".join(name for name, _, _ in swept)
            raise GridUnclear(f"One attribute may be a range, and move over the rows; {names} are.")
        if swept and self.columns is not None:
            raise GridUnclear("Where an attribute moves over the rows, steps= is what columns= is elsewhere.")
        if self.steps is not None and not swept:
            raise GridUnclear("steps= goes with an attribute that is a range, as smile=-2..2; without, there is none.")
        return tuple(one for one in ranges if one not in swept), swept


def grid_of(query: GridQuery, ordering: Ordering) -> tuple[GridJob, str]:
    """The job, and its permanent address.

    Raises GridUnclear, GridTooLarge, SeedOutOfRange, and what Ordering.face raises.
    """
    (still, swept), seeds = query.moves, query.faces
    edits = tuple((name, strength) for name, strength, _ in still)
    # Refused by its ends, whatever lies between.
    ends = [
        ordering.face(seeds[0], replace(query.wishes, edits=(*edits, *end)), query.format)
        for end in ([(name, low) for name, low, _ in swept], [(name, high) for name, _, high in swept])
    ]
    # One of them moves, where anything does: a range has two ends, and only one may be 0.
    look = ends[0] if ends[0].edits else ends[1]
    columns = (query.steps or DEFAULT_STEPS) if swept else _columns(query.columns, len(seeds))
    job = GridJob(
        model=look.model,
        seeds=seeds,
        columns=columns,
        truncation_psi=look.truncation_psi,
        size=look.size,
        format=query.format,
        sweep=swept,
        label=look.label,
        rotate=look.rotate,
        translate_x=look.translate_x,
        translate_y=look.translate_y,
        edits=tuple(edit for edit in look.edits if edit[0] not in {name for name, _, _ in swept}),
        keep=look.keep,
        directions=look.directions,
        mix=look.mix,
    )
    _check_extent(job)
    return job, _address(job, look)


def _columns(wanted: int | None, cells: int) -> int:
    """No more than there are cells: else every row would be longer than the only one."""
    return min(wanted or math.ceil(math.sqrt(cells)), cells)


def _check_extent(job: GridJob) -> None:
    """Raises GridTooLarge."""
    rows = math.ceil(job.count / job.columns)
    most = min(MOST_CELLS, MOST_PIXELS // job.size**2)
    # Empty places are pixels as well.
    if job.count > most or rows * job.columns * job.size**2 > MOST_PIXELS:
        raise GridTooLarge(
            f"A grid with cells of {job.size} pixels may have {most} of them; this one has {rows * job.columns} places "
            "for them. Ask for fewer, or for a smaller size=.",
            most,
        )
    along = max(rows, job.columns) * job.size
    if along > MOST_ALONG:
        raise GridTooLarge(
            f"No side of a grid may be longer than {MOST_ALONG} pixels; this one would be {along}. Ask for other "
            "columns=, or for a smaller size=.",
            MOST_ALONG,
        )


def _address(job: GridJob, look: GenerateJob) -> str:
    """look: as of one cell that is moved, where any is."""
    query = {**job.named_seeds, "steps" if job.sweep else "columns": job.columns, **query_of(look)}
    # Whatever end of the sweep the look has, the address has both.
    query |= {name: range_text(low, high) for name, low, high in job.sweep}
    query |= {"size": plain_number(job.size), "format": job.format.value}
    return f"/v1/grids?{urlencode(query, safe=':,')}"
