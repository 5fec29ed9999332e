"""A query becomes a MorphJob, and that its permanent address."""

from typing import Annotated, Protocol
from urllib.parse import urlencode

from pydantic import Field

from app.errors import MorphTooLarge, MorphTooShort, SeedsUnclear
from app.ordering import Ordering, Wishes, query_of, read_seed
from app.schemas import PermanentQuery
from jobs.contract import AnimationFormat, GenerateJob, MorphJob, PictureFormat

MOST_KEYS = 16
MOST_FRAMES = 240
MOST_PIXELS = 2**26
"""Of all frames: a worker holds them all, 200 MB at three bytes each. 240 frames of 512, or 64 of 1024."""
DEFAULT_FRAMES, DEFAULT_FPS, MOST_FPS = 48, 24, 50
SeedChoice = Annotated[str | None, Field(max_length=20, examples=["1"])]


FramesChoice = Annotated[int, Field(ge=2, le=MOST_FRAMES, description="Of the whole.", examples=[12])]
FpsChoice = Annotated[int, Field(ge=1, le=MOST_FPS, description="Frames a second.", examples=[24])]
LoopChoice = Annotated[
    bool, Field(description="Back to the first face, and again and again; else it is played once.", examples=[True])
]
AnimationChoice = Annotated[
    AnimationFormat,
    Field(description="mp4 only where the workers were installed with the extra `video`.", examples=["gif"]),
]


class Playing(Protocol):
    """How a morph is played."""

    frames: int
    fps: int
    loop: bool
    format: AnimationFormat


class MorphQuery(PermanentQuery):
    """What may be asked of a morph. All else than the faces counts for every frame."""

    from_: Annotated[SeedChoice, Field(alias="from", description="Seed of the first face.")] = None
    to: Annotated[SeedChoice, Field(description="Seed of the last face.", examples=["2"])] = None
    seeds: Annotated[
        str | None,
        Field(
            max_length=21 * MOST_KEYS,
            pattern=r"^\d+(,\d+)+$",
            description=f"Instead of from and to: 2 to {MOST_KEYS} seeds, with commas between.",
            examples=["1,2,3"],
        ),
    ] = None
    frames: FramesChoice = DEFAULT_FRAMES
    fps: FpsChoice = DEFAULT_FPS
    loop: LoopChoice = False
    format: AnimationChoice = AnimationFormat.WEBP

    @property
    def faces(self) -> tuple[int, ...]:
        """The seeds. Raises SeedsUnclear, SeedOutOfRange."""
        ends, several = [self.from_, self.to], self.seeds.split(",") if self.seeds else []
        named = [text for text in ends if text is not None]
        if len(named) != (0 if several else 2) or len(several) > MOST_KEYS:
            raise SeedsUnclear
        return tuple(read_seed(text) for text in several or named)


def morph_of(query: MorphQuery, ordering: Ordering) -> tuple[MorphJob, str]:
    """The job, and its permanent address.

    Raises SeedsUnclear, SeedOutOfRange, MorphTooLarge, MorphTooShort, and what Ordering.face raises.
    """
    job, first = morph_job(query.faces, query.wishes, query, ordering)
    return job, _address(job, first)


def morph_job(
    seeds: tuple[int, ...], wishes: Wishes, playing: Playing, ordering: Ordering
) -> tuple[MorphJob, GenerateJob]:
    """The job, and that of its first face. Raises MorphTooLarge, MorphTooShort, and what Ordering.face raises."""
    first = ordering.face(seeds[0], wishes, PictureFormat.PNG)
    most = min(MOST_FRAMES, MOST_PIXELS // first.size**2)
    if playing.frames > most:
        raise MorphTooLarge(first.size, most)
    if playing.frames < len(seeds):
        raise MorphTooShort(len(seeds))
    job = MorphJob(
        model=first.model,
        seeds=seeds,
        frames=playing.frames,
        fps=playing.fps,
        loop=playing.loop,
        truncation_psi=first.truncation_psi,
        size=first.size,
        format=playing.format,
        label=first.label,
        rotate=first.rotate,
        translate_x=first.translate_x,
        translate_y=first.translate_y,
        edits=first.edits,
        keep=first.keep,
        directions=first.directions,
        mix=first.mix,
    )
    return job, first


def _address(job: MorphJob, first: GenerateJob) -> str:
    path = {"frames": job.frames, "fps": job.fps, "loop": str(job.loop).lower(), "format": job.format.value}
    query = {"seeds": ",".join(map(str, job.seeds)), **path, **query_of(first), "size": job.size}
    return f"/v1/morphs?{urlencode(query, safe=':,')}"
