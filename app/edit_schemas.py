"""What may be asked of an edit, what comes back, and how attributes are listed."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.schemas import FormatChoice, MixChoice, ModelChoice, PsiChoice, SizeChoice, Strength

AttributeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
AskedAttribute = Annotated[str, Field(max_length=100)]
"""What no attribute can be called is no attribute of the model either, and answered so: with those that there are."""


def _no_truth(value: object) -> object:
    # To Python true is 1, and it would be drawn.
    if isinstance(value, bool):
        raise ValueError("a seed is a whole number, or a string of one")
    return value


SeedAsked = Annotated[int | str, Field(union_mode="left_to_right"), BeforeValidator(_no_truth)]
"""In JSON. A string keeps what a number above 2^53 would lose in JavaScript."""


class EditChoice(BaseModel):
    """What is to be moved, and how it is drawn, whatever it starts from."""

    model_config = ConfigDict(extra="forbid")

    model: ModelChoice = None
    attributes: Annotated[
        dict[AskedAttribute, Strength], Field(description="Strength by attribute; /v1/attributes has the ranges.")
    ] = {}
    keep: Annotated[tuple[AskedAttribute, ...], Field(description="Attributes that are to stay as they are.")] = ()
    directions: Annotated[str | None, Field(pattern=r"^[0-9a-f]{8}$", description="As in the address of a face.")] = (
        None
    )
    truncation_psi: PsiChoice = None
    size: SizeChoice = None
    format: FormatChoice = None
    mix: MixChoice = None


class EditRequest(EditChoice):
    """An edit as JSON. Either seed or latent; all else is as in the address of a face."""

    seed: Annotated[SeedAsked | None, Field(description="0 to 2^64 - 1; a string above 2^53.")] = None
    latent: Annotated[str | None, Field(max_length=64, description="The id of an inversion.")] = None
    taught: Annotated[
        str | None,
        Field(max_length=64, description="The id of a direction of POST /v1/directions: an attribute more."),
    ] = None


class EditRecipe(BaseModel):
    """What an edited face was made of: enough to make it again."""

    kind: Literal["generate", "edit"]
    model: str = Field(description="Digest of the model.", examples=["0f1e2d3c4b5a6978"])
    seed: str | None = Field(examples=["7"])
    latent: str | None = Field(description="The id of the inversion that it started from.")
    taught: str | None = Field(None, description="The id of the direction that was taught.")
    attributes: dict[str, float] = Field(examples=[{"smile": 1.5}])
    keep: list[str] = Field(examples=[["age"]])
    directions: str = Field(description="Digest of the directions; empty where nothing moved.", examples=["0f1e2d3c"])
    mix: str = Field(description="As in the address of a face; empty where nothing is mixed.", examples=["9:0-3"])
    truncation_psi: float
    size: int
    format: str
    address: str | None = Field(description="Where the picture stays; null for one of a stored latent.")


class EditedFace(BaseModel):
    """An edited face as JSON."""

    recipe: EditRecipe
    picture: str = Field(description="The file as a data: address.", examples=["data:image/jpeg;base64,…"])


class ListedAttribute(BaseModel):
    """An attribute of a model. minimum, maximum: strengths between which faces stay faces."""

    name: str = Field(examples=["smile"])
    minimum: float = Field(examples=[-3.0])
    maximum: float = Field(examples=[3.0])
    meaning: str = Field(description="From what to what it leads.", examples=["from a closed mouth to a smile"])
    method: str = Field(description="How the direction was found.", examples=["interfacegan"])
    space: Literal["z", "w"]
    layers: tuple[int, int] | None = Field(description="First style layer and the one after the last; null: all.")
    accuracy: float | None = Field(description="Of its boundary on latents that it was not fitted to, 0 to 1.")
    measure: str = Field(description="Any other figure, in words.")


class ListedAttributes(BaseModel):
    """The attributes of a model."""

    model: str = Field(description="Digest of the model.", examples=["0f1e2d3c4b5a6978"])
    name: str = Field(examples=["faces"])
    directions: str = Field(description="Digest that pins them in addresses; empty without any.", examples=["0f1e2d3c"])
    attributes: list[ListedAttribute]
