"""What goes in by query and what comes out as JSON. Pictures are no schema: they are bytes with headers."""

from collections.abc import Collection
from dataclasses import fields
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.errors import MAX_SAFE_INTEGER
from app.ordering import Wishes
from jobs.contract import PictureFormat
from models.abilities import MOST_DEGREES, MOST_SHIFT, Method
from models.directions import NAME, RESERVED
from models.manifest import TrainingData

ModelChoice = Annotated[
    str | None,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="Name or digest of a model that /v1/models lists. A digest pins the very weights.",
        examples=["faces"],
    ),
]
PsiChoice = Annotated[
    float | None,
    Field(
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0: the average face; 1: all the variety there is, failures included.",
        examples=[0.7],
    ),
]
SizeChoice = Annotated[
    int | None,
    Field(
        ge=16,
        le=4096,
        description="Side in pixels, 16 up to the model's resolution (the default); smaller by Lanczos.",
        examples=[64],
    ),
]
ClassChoice = Annotated[
    str | None,
    Field(
        alias="class",
        min_length=1,
        max_length=100,
        description="Number or name of a class, for models that /v1/models lists with labels; else the seed draws one.",
        examples=["0"],
    ),
]
RotateChoice = Annotated[
    float | None,
    Field(
        ge=-MOST_DEGREES,
        le=MOST_DEGREES,
        allow_inf_nan=False,
        description="Degrees counter-clockwise by which a StyleGAN3 model turns what it draws.",
        examples=[0],
    ),
]
ShiftChoice = Annotated[
    float | None,
    Field(
        ge=-MOST_SHIFT,
        le=MOST_SHIFT,
        allow_inf_nan=False,
        description="Share of the side by which a StyleGAN3 model moves what it draws: right (x), down (y).",
        examples=[0],
    ),
]
FormatChoice = Annotated[PictureFormat | None, Field(description="How the picture is encoded.", examples=["png"])]


KeepChoice = Annotated[
    str | None,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_]*(,[A-Za-z][A-Za-z0-9_]*)*$",
        max_length=1000,
        description="Attributes that the edits are to leave alone, with commas between.",
        examples=["age,gender"],
    ),
]
DirectionsChoice = Annotated[
    str | None,
    Field(
        pattern=r"^[0-9a-f]{8}$",
        description="Digest of the directions that the attributes mean, as addresses of edited faces carry it; those "
        "that the model has now unless given.",
        examples=["0f1e2d3c"],
    ),
]
MixChoice = Annotated[
    str | None,
    Field(
        max_length=200,
        description="SEED:LAYERS, as 9:0-3 or 9:0-3,4:7:0.5: style layers that are those of other seeds, or so far on "
        "their way there. The first layers draw pose and shape, the last ones colour.",
        examples=["9:0-3"],
    ),
]
Strength = Annotated[float, Field(allow_inf_nan=False)]


class PermanentQuery(BaseModel):
    """What may be asked of a face whose address ends in its format. Any other name is an attribute's, its value the
    strength; which there are says /v1/attributes."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Strength]

    model: ModelChoice = None
    truncation_psi: PsiChoice = None
    size: SizeChoice = None
    label: ClassChoice = None
    rotate: RotateChoice = None
    translate_x: ShiftChoice = None
    translate_y: ShiftChoice = None
    keep: KeepChoice = None
    directions: DirectionsChoice = None
    mix: MixChoice = None

    @property
    def wishes(self) -> Wishes:
        """The same without pydantic."""
        plain = {
            field.name: getattr(self, field.name) for field in fields(Wishes) if field.name in type(self).model_fields
        }
        return Wishes(**{**plain, "edits": tuple((self.model_extra or {}).items()), "keep": kept_names(self.keep)})


def kept_names(text: str | None) -> tuple[str, ...]:
    """ "age,gender" -> ("age", "gender")"""
    return tuple(text.split(",")) if text else ()


class FaceQuery(PermanentQuery):
    """What may be asked of a face."""

    format: FormatChoice = None


class PageQuery(PermanentQuery):
    """What the page's address may name; anything else in it (a tracker's leavings) is ignored."""

    seed: str | None = None
    latent: Annotated[str | None, Field(max_length=64)] = None
    to: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, str]) -> dict[str, str]:
        # A form sends every field, also those that nobody filled in. The page itself sets the size. The route takes
        # out what is no attribute of the model; here only what cannot be one.
        known = {field.alias or name for name, field in cls.model_fields.items()} - {"size"}
        return {name: value for name, value in given.items() if value and (name in known or _is_strength(name, value))}

    def only(self, attributes: Collection[str]) -> "PageQuery":
        """The same with only these attributes, of those that it names."""
        named = self.model_dump(by_alias=True, exclude=set(self.model_extra or {}), exclude_unset=True)
        return PageQuery(
            **named, **{name: value for name, value in (self.model_extra or {}).items() if name in attributes}
        )


def _is_strength(name: str, value: str) -> bool:
    try:
        return NAME.fullmatch(name) is not None and name not in RESERVED and isfinite(float(value))
    except ValueError:
        return False


class DrawnFace(BaseModel):
    """A seed and where its face is. seed: a number, or a string above 2^53 (JavaScript would round it)."""

    seed: int | str = Field(examples=[2847113904])
    address: str = Field(
        description="The permanent address of the picture.",
        examples=["/v1/faces/2847113904.jpg?model=0f1e2d3c4b5a6978&truncation_psi=0.7"],
    )
    page: str = Field(
        description="The page that shows this face.",
        examples=["/?seed=2847113904&model=0f1e2d3c4b5a6978&truncation_psi=0.7"],
    )


class DrawnFaces(BaseModel):
    """Several faces, drawn independently. Nothing is generated before an address is opened."""

    model: str = Field(description="Digest of the model.", examples=["0f1e2d3c4b5a6978"])
    faces: list[DrawnFace]


class ServingWorker(BaseModel):
    """A live worker that can be asked for the model. warm: whether the model is open there already."""

    id: str = Field(examples=["worker-1"])
    device: str = Field(examples=["cpu"])
    warm: bool


class Labels(BaseModel):
    """The classes of a model. names: by number, or empty where nobody wrote them down."""

    count: int = Field(examples=[3])
    names: list[str] = Field(examples=[["cat", "dog", "wild"]])


class Abilities(BaseModel):
    """What a generator takes beside seed and size."""

    truncation: bool = Field(description="truncation_psi=; where false it is always 1.")
    labels: Labels | None = Field(description="class=; null where there are no classes.")
    transform: bool = Field(description="rotate=, translate_x= and translate_y=.")
    inversion: list[Method] = Field(description="Methods of /v1/inversions, the closest first; empty: none.")


class ListedModel(BaseModel):
    """What a model is, and who serves it."""

    name: str = Field(examples=["faces"])
    digest: str = Field(description="Changes whenever a pixel could.", examples=["0f1e2d3c4b5a6978"])
    default: bool = Field(description="Whether /face uses it unless asked otherwise.")
    source: Literal["bundled", "store"]
    kind: Literal["generator", "translator"]
    family: str = Field(examples=["stylegan2"])
    can: Abilities | None = Field(description="null for a translator.")
    resolution: int | None = Field(
        description="Side of its pictures in pixels; null where any size goes.", examples=[128]
    )
    download_bytes: int = Field(description="Its graphs together.", examples=[14300000])
    licence: str = Field(examples=["Apache-2.0"])
    origin: str = Field(examples=["trained by this project"])
    training_data: list[TrainingData]
    metrics: dict[str, float] = Field(description="Measured figures by name.")
    workers: list[ServingWorker] | None = Field(
        description="Live workers that serve it; null when the queue cannot be asked. Where none has it warm, the "
        "first request waits for it to be opened."
    )


class ListedModels(BaseModel):
    """All models in the catalogue."""

    models: list[ListedModel]


class Alive(BaseModel):
    """The web process answers. Says nothing about queue or workers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """A warm worker serves the default model."""

    status: Literal["ready"] = "ready"
    model: str = Field(examples=["faces"])


class Problem(BaseModel):
    """RFC 9457. Further members depend on the type: limit, known, errors."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable; its page says more.", examples=["/problems/queue-full"])
    title: str
    status: int
    detail: str = Field(description="A sentence about this very case.")


def json_safe(value: Any) -> Any:
    """The value with whole numbers above 2^53 as strings, at any depth."""
    if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
        return str(value)
    if isinstance(value, dict):
        return {key: json_safe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(item) for item in value]
    return value
