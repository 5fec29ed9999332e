"""What a job may be asked for as JSON: the bodies of POST /v1/jobs and /v1/datasets."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.edit_schemas import AskedAttribute, EditRequest, SeedAsked
from app.gridding import LONGEST_LIST, MOST_CELLS, ColumnsChoice, CountChoice, SheetFormat, StepsChoice
from app.morphing import (
    DEFAULT_FPS,
    DEFAULT_FRAMES,
    MOST_KEYS,
    AnimationChoice,
    FpsChoice,
    FramesChoice,
    LoopChoice,
)
from app.ordering import Wishes
from app.schemas import (
    ClassChoice,
    FormatChoice,
    MixChoice,
    ModelChoice,
    PsiChoice,
    RotateChoice,
    ShiftChoice,
    SizeChoice,
    Strength,
)
from jobs.contract import AnimationFormat, PictureFormat
from models.ranges import Ranges

Seed = Annotated[
    SeedAsked | None,
    Field(
        description="0 to 2^64 - 1; a string above 2^53. Unless given, one is drawn.",
        examples=[7],
    ),
]
Attributes = Annotated[
    dict[AskedAttribute, Strength],
    Field(description="Strength by attribute; /v1/attributes has the ranges.", examples=[{"smile": 1.5}]),
]
Kept = Annotated[tuple[AskedAttribute, ...], Field(description="Attributes that are to stay as they are.")]
DirectionsDigest = Annotated[
    str | None, Field(pattern=r"^[0-9a-f]{8}$", description="As in the address of a face.", examples=["0f1e2d3c"])
]
Range = Annotated[
    tuple[Strength, Strength] | Strength,
    Field(description="Lowest and highest strength, between which each face draws its own; or one for all."),
]


class Look(BaseModel):
    """What faces are to look like, as in the address of a face."""

    model_config = ConfigDict(extra="forbid")

    model: ModelChoice = None
    truncation_psi: PsiChoice = None
    size: SizeChoice = None
    label: ClassChoice = None
    rotate: RotateChoice = None
    translate_x: ShiftChoice = None
    translate_y: ShiftChoice = None
    keep: Kept = ()
    directions: DirectionsDigest = None

    def wishes(self, **edits: Any) -> Wishes:
        """The same without pydantic. edits: where they come from differs."""
        return Wishes(**{name: getattr(self, name) for name in Look.model_fields}, **edits)


class LookRequest(Look):
    """One face, or the first of several."""

    seed: Seed = None
    format: FormatChoice = None


class GenerateRequest(LookRequest):
    """One face."""

    kind: Literal["generate"]
    mix: MixChoice = None
    attributes: Attributes = {}


class EditAsked(EditRequest):
    """An edited face, as POST /v1/edits takes it."""

    kind: Literal["edit"]


class DatasetRequest(LookRequest):
    """Faces of consecutive seeds with their labels, as a zip. seed: of the first."""

    count: int = Field(ge=1, description="How many faces.", examples=[100])
    attributes: Annotated[
        dict[AskedAttribute, Range],
        Field(
            description="By attribute, lowest and highest strength; each face draws its own, by its seed.",
            examples=[{"smile": [-1, 2]}],
        ),
    ] = {}

    @property
    def ranges(self) -> Ranges:
        """In the order of their names."""
        return _ranges_of(self.attributes)


class DatasetAsked(DatasetRequest):
    """A data set, as POST /v1/datasets takes it."""

    kind: Literal["dataset"]


class MorphRequest(Look):
    """A face that turns into another, as GET /v1/morphs makes it."""

    kind: Literal["morph"]
    seeds: tuple[SeedAsked, ...] = Field(
        min_length=2, max_length=MOST_KEYS, description="Of the faces, in their order.", examples=[[1, 2, 3]]
    )
    frames: FramesChoice = DEFAULT_FRAMES
    fps: FpsChoice = DEFAULT_FPS
    loop: LoopChoice = False
    format: AnimationChoice = AnimationFormat.WEBP
    mix: MixChoice = None
    attributes: Attributes = {}


class GridRequest(Look):
    """Several faces in one picture, as GET /v1/grids makes it."""

    kind: Literal["grid"]
    seed: Annotated[
        SeedAsked | None, Field(description="Of the first face; the others follow it. 0.", examples=[7])
    ] = None
    count: CountChoice = None
    seeds: Annotated[
        tuple[SeedAsked, ...] | None,
        Field(
            min_length=1,
            max_length=MOST_CELLS,
            description=f"Instead of seed and count; {LONGEST_LIST} characters in all.",
            examples=[[1, 2, 3]],
        ),
    ] = None
    columns: ColumnsChoice = None
    steps: StepsChoice = None
    format: SheetFormat = PictureFormat.JPEG
    mix: MixChoice = None
    attributes: Annotated[
        dict[AskedAttribute, Range],
        Field(
            description="Strength by attribute; one may have lowest and highest, and moves over each row.",
            examples=[{"smile": [-2, 2], "age": 1}],
        ),
    ] = {}

    @property
    def ranges(self) -> Ranges:
        """In the order of their names."""
        return _ranges_of(self.attributes)


def _ranges_of(attributes: Mapping[str, tuple[float, float] | float]) -> Ranges:
    both = {name: value if isinstance(value, tuple) else (value, value) for name, value in attributes.items()}
    return tuple((name, min(ends), max(ends)) for name, ends in sorted(both.items()))


JobRequest = Annotated[
    GenerateRequest | EditAsked | DatasetAsked | MorphRequest | GridRequest, Field(discriminator="kind")
]
