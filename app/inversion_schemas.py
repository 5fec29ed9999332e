"""What may be asked of an inversion, and what is told of it."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from app.schemas import FormatChoice, ModelChoice, SizeChoice
from models.abilities import Method, Space

MOST_FACES = 64
FaceChoice = Annotated[
    int | None,
    Field(ge=0, lt=MOST_FACES, description="Which of several faces: 0 is the largest.", examples=[0]),
]
LandmarksChoice = Annotated[
    str | None,
    Field(
        max_length=400,
        description="Where the face is, if it is not found or not well: x and y of the eye on the left, the eye on "
        "the right, the nose, the mouth corners on the left and right, in pixels of the upright photo.",
        examples=["120.5,210,180,208,152,240,128,270,176,268"],
    ),
]
MethodChoice = Annotated[
    Method | None,
    Field(
        description="encoder: a guess, in a moment. descent: many steps from the average face. hybrid: some from "
        "the guess (unless the model has no encoder).",
        examples=["hybrid"],
    ),
]


class InversionQuery(BaseModel):
    """What may be asked of an inversion."""

    model: ModelChoice = None
    method: MethodChoice = None
    space: Annotated[
        Space,
        Field(
            description="w: one latent for all layers, which takes edits best. w_plus: one for each, which is closer.",
            examples=["w_plus"],
        ),
    ] = Space.W_PLUS
    face: FaceChoice = None
    landmarks: LandmarksChoice = None


class ReconstructionQuery(BaseModel):
    """What may be asked of the picture of a latent."""

    size: SizeChoice = None
    format: FormatChoice = None


class PhotoSize(BaseModel):
    """Of the upright photo, in pixels."""

    width: int = Field(examples=[1200])
    height: int = Field(examples=[1600])


class Crop(BaseModel):
    """The square that was cut out, in pixels of the photo. x, y: its middle. across_x, across_y: from there to the
    middle of its right side."""

    x: float
    y: float
    across_x: float
    across_y: float
    side: float
    degrees: float = Field(description="By how much the face is turned clockwise.")
    beyond_the_photo: float = Field(description="Share of the square that lies beyond the photo's edge.")


class Inversion(BaseModel):
    """A latent that was found. Its id is known to whoever made it alone; keep it as you would the photo."""

    id: str = Field(description="For `latent` of POST /v1/edits.", examples=["0f1e2d3c4b5a69780f1e2d3c4b5a6978"])
    address: str = Field(description="Of this document.", examples=["/v1/inversions/0f1e2d3c4b5a69780f1e2d3c4b5a6978"])
    reconstruction: str = Field(
        description="Where the picture of the latent is.",
        examples=["/v1/inversions/0f1e2d3c4b5a69780f1e2d3c4b5a6978/picture"],
    )
    kept_s: int = Field(description="Seconds for which it is kept, unless it is deleted before.", examples=[3600])
    model: str = Field(description="Digest of the model.", examples=["0f1e2d3c4b5a6978"])
    method: Method
    space: Space
    error: float = Field(
        description="How far the picture of the latent is from the face: root of the mean squared difference, in "
        "levels of 255.",
        examples=[14.2],
    )
    photo: PhotoSize
    faces: int = Field(description="How many faces are in the photo.")
    box: list[float] = Field(description="Of the face: left, top, width, height.", examples=[[90.0, 120.5, 130, 167]])
    landmarks: list[list[float]] = Field(description="Eyes, nose, mouth corners; left ones first.")
    score: float = Field(description="How sure the locator is, 0 to 1; 1 where landmarks were given.")
    crop: Crop

    @classmethod
    def told(cls, latent: str, document: dict[str, Any], kept_s: int) -> "Inversion":
        """document: what the worker left."""
        address = f"/v1/inversions/{latent}"
        places = {"id": latent, "address": address, "reconstruction": f"{address}/picture", "kept_s": kept_s}
        return cls.model_validate({**document, **places})
