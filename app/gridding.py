"""A query becomes a GridJob, and that its permanent address."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Protocol
from urllib.parse import urlencode

from pydantic import Field

from app.errors import MAX_SEED, GridTooLarge, GridUnclear, SeedOutOfRange
from app.ordering import Ordering, Wishes, plain_number, query_of, read_seed
from app.schemas import PermanentQuery
from jobs.contract import GenerateJob, GridJob, PictureFormat
from models.ranges import RANGE, Ranges, range_text, read_range

MOST_CELLS = 256
MOST_PIXELS = 2**24
"""Of the whole: a worker holds it all, 50 MB at three bytes each. 64 cells of 512, or 16 of 1024."""
MOST_ALONG = PictureFormat.WEBP.longest_side
"""Pixels of a side, whatever the format: the same grid is to be had in each."""
DEFAULT_COUNT, DEFAULT_ROWS, DEFAULT_STEPS = 16, 4, 5
MOST_STEPS = 32
LONGEST_LIST = 1000
"""Characters of seeds=: what a recipe may hold."""
StrengthRange = Annotated[str, Field(pattern=RANGE)]


CountChoice = Annotated[
    int | None,
    Field(
        ge=1,
        le=MOST_CELLS,
        description=f"How many faces. {DEFAULT_COUNT}; {DEFAULT_ROWS} where an attribute moves over the row.",
        examples=[12],
    ),
]
ColumnsChoice = Annotated[
    int | None,
    Field(
        ge=1,
        le=MOST_CELLS,
        description="Cells in a row; unless given, about as many as there are rows.",
        examples=[4],
    ),
]
StepsChoice = Annotated[
    int | None,
    Field(
        ge=2,
        le=MOST_STEPS,
        description=f"Where one attribute is a range, smile=-2..2: each face has a row of its own, over which the "
        f"attribute moves from the lower strength to the higher in so many cells. {DEFAULT_STEPS}.",
        examples=[5],
    ),
]
SheetFormat = Annotated[PictureFormat, Field(description="How the picture is encoded.", examples=["png"])]


class Standing(Protocol):
    """How many faces there are, how they stand, and by what attributes they are moved."""

    count: int | None
    columns: int | None
    steps: int | None
    format: PictureFormat

    @property
    def ranges(self) -> Ranges: ...


class GridQuery(PermanentQuery):
    """What may be asked of a grid. All else than the faces counts for every cell; one attribute may be a range."""

    __pydantic_extra__: dict[str, StrengthRange]  # type: ignore[assignment]

    seed: Annotated[
        str | None, Field(max_length=20, description="Of the first face; the others follow it. 0.", examples=["7"])
    ] = None
    count: CountChoice = None
    seeds: Annotated[
        str | None,
        Field(
            max_length=LONGEST_LIST,
            pattern=r"^\d+(,\d+)*$",
            description="Instead of seed and count: the seeds, with commas between.",
            examples=["1,2,3"],
        ),
    ] = None
    columns: ColumnsChoice = None
    steps: StepsChoice = None
    format: SheetFormat = PictureFormat.JPEG

    @property
    def ranges(self) -> Ranges:
        """In the order of their names."""
        return tuple((name, *read_range(text)) for name, text in sorted((self.model_extra or {}).items()))


def grid_of(query: GridQuery, ordering: Ordering) -> tuple[GridJob, str]:
    """The job, and its permanent address. Raises what `grid_job` raises."""
    named = None if query.seeds is None else query.seeds.split(",")
    job, look = grid_job(query.seed, named, query.wishes, query, ordering)
    return job, _address(job, look)


def grid_job(
    seed: str | None, seeds: Sequence[str] | None, wishes: Wishes, stand: Standing, ordering: Ordering
) -> tuple[GridJob, GenerateJob]:
    """The job, and that of one of its cells, which is moved where any is. seed: of the first face; seeds: instead of
    that and of the count.

    Raises GridUnclear, GridTooLarge, SeedOutOfRange, and what Ordering.face raises.
    """
    still, swept = _moves(stand)
    faces = _following(seed, stand.count, moving=bool(swept)) if seeds is None else _named(seed, seeds, stand.count)
    edits = tuple((name, strength) for name, strength, _ in still)
    # Refused by its ends, whatever lies between.
    ends = [
        ordering.face(faces[0], replace(wishes, edits=(*edits, *end)), stand.format)
        for end in ([(name, low) for name, low, _ in swept], [(name, high) for name, _, high in swept])
    ]
    # One of them moves, where anything does: a range has two ends, and only one may be 0.
    look = ends[0] if ends[0].edits else ends[1]
    job = GridJob(
        model=look.model,
        seeds=faces,
        columns=(stand.steps or DEFAULT_STEPS) if swept else _columns(stand.columns, len(faces)),
        truncation_psi=look.truncation_psi,
        size=look.size,
        format=stand.format,
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
    return job, look


def _moves(stand: Standing) -> tuple[Ranges, Ranges]:
    """What is the same in every cell, and what moves over a row: nothing or one attribute. Raises GridUnclear."""
    swept = tuple(one for one in stand.ranges if one[1] != one[2])
    if len(swept) > 1:
        names = " and ".join(name for name, _, _ in swept)
        raise GridUnclear(f"One attribute may be a range, and move over the rows; {names} are.")
    if swept and stand.columns is not None:
        raise GridUnclear("Where an attribute moves over the rows, steps= is what columns= is elsewhere.")
    if stand.steps is not None and not swept:
        raise GridUnclear("steps= goes with an attribute that is a range, as smile=-2..2; without, there is none.")
    return tuple(one for one in stand.ranges if one not in swept), swept


def _named(seed: str | None, seeds: Sequence[str], count: int | None) -> tuple[int, ...]:
    """Raises GridUnclear, GridTooLarge, SeedOutOfRange."""
    if seed is not None or count is not None:
        raise GridUnclear("Name the faces either by seeds= or by seed= and count=.")
    if len(seeds) > MOST_CELLS:
        raise GridTooLarge(f"seeds= names {len(seeds)} faces; a grid has {MOST_CELLS} cells at most.", MOST_CELLS)
    if (characters := len(",".join(seeds))) > LONGEST_LIST:
        raise GridTooLarge(f"seeds= has {characters} characters; {LONGEST_LIST} is the most.", LONGEST_LIST)
    return tuple(read_seed(text) for text in seeds)


def _following(seed: str | None, count: int | None, *, moving: bool) -> tuple[int, ...]:
    """Raises SeedOutOfRange."""
    first = read_seed("0" if seed is None else seed)
    beyond = first + (count or (DEFAULT_ROWS if moving else DEFAULT_COUNT))
    if beyond - 1 > MAX_SEED:
        raise SeedOutOfRange
    return tuple(range(first, beyond))


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
            f"for them. Ask for fewer{', or for a smaller size=' if most < MOST_CELLS else ''}.",
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
