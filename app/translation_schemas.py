"""What may be asked of a translation, and how styles are listed."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.schemas import FormatChoice

STYLE_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"


class TranslationQuery(BaseModel):
    """What may be asked of a translation."""

    style: str = Field(
        pattern=STYLE_PATTERN,
        description="Name or digest of a style that /v1/styles lists. A digest pins the very weights.",
        examples=["monet"],
    )
    strength: float = Field(
        1.0, ge=0, le=1, allow_inf_nan=False, description="0: the photo; 1: the translation.", examples=[0.8]
    )
    size: Annotated[
        int | None,
        Field(
            ge=16,
            le=16384,
            description="Longest side of the answer in pixels, up to the photo's times the style's scale (as unless "
            "given). The photo is shrunk first, so that strokes are larger in a smaller picture; with a scale it is "
            "the answer that is shrunk.",
            examples=[1024],
        ),
    ] = None
    format: FormatChoice = None
    seed: Annotated[
        str | None,
        Field(description="For styles that draw something at random; others refuse it.", examples=["7"]),
    ] = None


class Thumbnails(BaseModel):
    """Two pictures that show a style."""

    before: str = Field(examples=["/v1/styles/0f1e2d3c4b5a6978/before.jpg"])
    after: str = Field(examples=["/v1/styles/0f1e2d3c4b5a6978/after.jpg"])


class ListedStyle(BaseModel):
    """A style that photos can be translated to."""

    name: str = Field(examples=["monet"])
    title: str = Field(description="What a person calls it.", examples=["Claude Monet"])
    digest: str = Field(description="Changes whenever a pixel could.", examples=["0f1e2d3c4b5a6978"])
    task: str | None = Field(
        description="What it learnt: colourise, upscale, inpaint (takes a mask), drawing; null: a look.",
        examples=["inpaint"],
    )
    scale: int = Field(description="So many times the photo's width and height.", examples=[1])
    licence: str = Field(examples=["Apache-2.0"])
    origin: str = Field(examples=["trained by this project"])
    thumbnails: Thumbnails | None = Field(description="Null for a model that has none.")
    ready: bool | None = Field(description="Whether a live worker serves it; null when the queue cannot be asked.")


class ListedStyles(BaseModel):
    """All styles, by name."""

    styles: list[ListedStyle]
