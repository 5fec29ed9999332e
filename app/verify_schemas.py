"""What /v1/verify says of a file."""

from typing import Literal

from pydantic import BaseModel, Field


class CredentialsShown(BaseModel):
    """Content credentials (C2PA)."""

    says: str = Field(examples=["The file is not signed."])
    state: Literal["trusted", "valid", "invalid", "absent", "unreadable"] = Field(
        description="trusted: unchanged, signed by this service; valid: unchanged, signed by somebody else; invalid: "
        "changed, or wrongly signed; unreadable: this service cannot read credentials."
    )
    signed_by: str | None = Field(default=None, examples=["personne pictures, personne"])
    software: str | None = Field(default=None, examples=["personne 0.1.0"])
    source_type: str | None = Field(default=None, description="An address of IPTC's digital source types.")
    ingredients: int = Field(default=0, description="How many pictures went into it.")
    ingredients_signed_by: list[str] = Field(default=[], description="Whose credentials those had.")
    reasons: list[str] = Field(default=[], description="Of what is invalid.")


class XmpShown(BaseModel):
    """The metadata. Unsigned, anybody can have written them."""

    says: str
    source_type: str | None = None
    software: str | None = None


class WatermarkShown(BaseModel):
    """The watermark of this software, in the pixels."""

    says: str
    found: bool
    score: float = Field(description="Standard deviations above chance.", examples=[41.5])
    threshold: float = Field(description="The score from which it counts as found.", examples=[8.5])


class RecipeShown(BaseModel):
    """What the picture was made of, as its metadata say."""

    software: str = Field(examples=["personne 0.1.0"])
    kind: str = Field(examples=["generate"])
    model: str = Field(examples=["faces"])
    digest: str = Field(examples=["0f1e2d3c4b5a6978"])
    seed: str | None = Field(default=None, examples=["7"])
    parameters: dict[str, str | int | float | bool | None] = Field(examples=[{"truncation_psi": 0.7, "size": 128}])
    address: str | None = Field(default=None, description="Where this face is to be had again, if its model is here.")
    page: str | None = Field(default=None, description="The page that shows it.")


class Verification(BaseModel):
    """Every mark of a file, and the verdict."""

    verdict: Literal["ours", "signed", "changed", "marked", "unmarked"]
    sentence: str = Field(
        description="The verdict, for a person.",
        examples=["No mark was found. That does not make it a photograph: marks can be removed."],
    )
    c2pa: CredentialsShown
    xmp: XmpShown
    watermark: WatermarkShown
    recipe: RecipeShown | None = None
