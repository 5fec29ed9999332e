"""manifest.json: what a model is, what its files must hash to, and where it comes from."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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


class TrainingData(_Frozen):
    """What a model learnt from, and under which licence."""

    name: str
    images: int = Field(ge=0)
    licence: str
    attribution: str = ""


class ModelManifest(_Frozen):
    """What a model is. Every graph of a face generator is named: `mapping` (z, psi -> ws), `synthesis` (ws -> picture).

    resolution: side of the square picture in pixels. z_dim, c_dim, w_dim, num_ws: the generator's dimensions (c_dim 0:
    no labels). origin: who trained or imported it, in words. metrics: measured figures by name. w_avg: the mean w,
    w_dim numbers.
    """

    version: Literal[1] = MANIFEST_VERSION
    name: ModelName
    family: Literal["stylegan2"]
    resolution: int = Field(ge=4, le=4096)
    z_dim: int = Field(gt=0)
    c_dim: int = Field(ge=0)
    w_dim: int = Field(gt=0)
    num_ws: int = Field(gt=0)
    graphs: dict[Literal["mapping", "synthesis"], GraphSpec]
    licence: str
    origin: str
    training_data: tuple[TrainingData, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)
    w_avg: tuple[float, ...]

    @property
    def digest(self) -> str:
        """16 hex digits that change whenever a pixel could: a hash over the hashes of the graphs."""
        named = sorted((name, spec.sha256) for name, spec in self.graphs.items())
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]


def read_manifest(folder: Path) -> ModelManifest:
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
        return ModelManifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the manifest"
        raise ModelRefused(f"{path}: {where}: {first['msg']}.") from error
