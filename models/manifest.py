"""manifest.json: what a model is, what its files must hash to, and where it comes from."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError, field_validator

from models.errors import ModelRefused

MANIFEST_VERSION: Final = 1
MANIFEST_FILE = "manifest.json"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", description="a name inside the folder, never a path")
]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GraphSpec(_Frozen):
    """One ONNX graph of the model."""

    file: FileName
    sha256: Sha256
    bytes: int = Field(gt=0)


class DirectionsSpec(_Frozen):
    """The file of a generator's directions, and the attributes that it names."""

    file: FileName
    sha256: Sha256
    bytes: int = Field(gt=0)
    names: tuple[str, ...]


class TrainingData(_Frozen):
    """What a model learnt from, and under which licence."""

    name: str
    images: int = Field(ge=0)
    licence: str
    attribution: str = ""


GraphName = Literal["mapping", "synthesis", "synthesis_float16", "translation", "translation_float16"]
"""The `_float16` graphs compute in float16, for GPUs; the others in float32."""


InverterName = Literal["encoder", "gradient"]
"""`encoder`: picture -> ws. `gradient`: ws, picture -> the loss of what ws draw, and its derivative."""


class ModelManifest(_Frozen):
    """What every model says of itself.

    origin: who trained or imported it, in words. metrics: measured figures by name. kwargs: the arguments of the
    network's constructor, which with the weights rebuild it; empty in models of before they were kept.
    """

    version: Literal[1] = MANIFEST_VERSION
    name: ModelName
    family: str
    graphs: dict[GraphName, GraphSpec]
    licence: str
    origin: str
    training_data: tuple[TrainingData, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)
    kwargs: dict[str, JsonValue] = Field(default_factory=dict)

    needed_graphs: ClassVar[tuple[GraphName, ...]]

    @property
    def digest(self) -> str:
        """16 hex digits that change whenever a pixel could: a hash over the hashes of the graphs."""
        named = sorted((name, spec.sha256) for name, spec in self.graphs.items())
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]

    @field_validator("graphs")
    @classmethod
    def _has_its_graphs(cls, graphs: dict[GraphName, GraphSpec]) -> dict[GraphName, GraphSpec]:
        if missing := [name for name in cls.needed_graphs if name not in graphs]:
            raise ValueError(f"the graph {missing[0]} is missing")
        return graphs


class GeneratorManifest(ModelManifest):
    """A generator of faces: graphs `mapping` (z, psi -> ws) and `synthesis` (ws -> picture).

    resolution: side of the square picture in pixels. z_dim, c_dim, w_dim, num_ws: the generator's dimensions (c_dim 0:
    no labels). class_names: what the labels mean, c_dim of them or none. w_avg: the mean w, w_dim numbers. directions:
    of attributes; None where nobody has found any. inverters: graphs that lead from a face back to its ws. Both change
    no face unless one asks, and so not the digest.
    """

    family: Literal["stylegan1", "stylegan2", "stylegan3", "pggan", "dcgan"]
    resolution: int = Field(ge=4, le=4096)
    z_dim: int = Field(gt=0)
    c_dim: int = Field(ge=0)
    w_dim: int = Field(gt=0)
    num_ws: int = Field(gt=0)
    class_names: tuple[str, ...] = ()
    w_avg: tuple[float, ...]
    directions: DirectionsSpec | None = None
    inverters: dict[InverterName, GraphSpec] = Field(default_factory=dict)

    needed_graphs = ("mapping", "synthesis")

    @property
    def takes_transform(self) -> bool:
        """Whether the picture can be turned and moved by the network itself (input `transform` of synthesis)."""
        return self.family == "stylegan3"


class TranslatorManifest(ModelManifest):
    """A translator from picture to picture: graph `translation`, of any width and height that `size_multiple` divides.

    title: what a person would call the style. ngf: filters of the first layer. task: what it learnt from pairs made of
    pictures, where it did: colourise takes the colours of a photo and leaves its brightness; upscale sharpens a photo
    that was enlarged to `scale` times its size; inpaint takes a fourth channel, 255 where it is to fill, 0 elsewhere.
    """

    family: Literal["cyclegan", "pix2pix"]
    title: str = ""
    input_nc: int = Field(ge=1, le=4)
    output_nc: int = Field(ge=1, le=4)
    ngf: int = Field(gt=0)
    size_multiple: int = Field(gt=0)
    task: Literal["colourise", "upscale", "inpaint", "drawing"] | None = None
    scale: int = Field(default=1, ge=1, le=8)

    needed_graphs = ("translation",)

    @property
    def takes_mask(self) -> bool:
        """Whether it must be told where to draw."""
        return self.task == "inpaint"


_ANY: TypeAdapter[GeneratorManifest | TranslatorManifest] = TypeAdapter(
    Annotated[GeneratorManifest | TranslatorManifest, Field(discriminator="family")]
)


def read_manifest(folder: Path) -> GeneratorManifest | TranslatorManifest:
    """The manifest of a model folder. Raises ModelRefused with a sentence that says what is wrong."""
    path = folder / MANIFEST_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelRefused(f"{folder} holds no {MANIFEST_FILE}, so it is no model.") from None
    except ValueError as error:
        raise ModelRefused(f"{path} is no valid JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise ModelRefused(f"{path} holds no JSON object.")
    found = fields.get("version")
    if found != MANIFEST_VERSION:
        raise ModelRefused(f"{path} has manifest version {found!r}; this release reads version {MANIFEST_VERSION}.")
    try:
        return _ANY.validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        # The first part of a place names the family, which the reader of the file sees himself.
        where = ".".join(str(part) for part in first["loc"][1:]) or "the manifest"
        raise ModelRefused(f"{path}: {where}: {first['msg']}.") from error
