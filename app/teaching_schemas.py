"""What may be asked of a direction that is taught by examples, and what is told of it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.edit_schemas import AttributeName
from app.schemas import ModelChoice
from models.teaching import LEAST_EACH, MOST_FACES

Score = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class TeachRequest(BaseModel):
    """Faces, and of each whether it has more or less of what the attribute is to mean."""

    model_config = ConfigDict(extra="forbid")

    name: AttributeName = Field(description="The attribute's name, a parameter of addresses.", examples=["cheerful"])
    meaning: str = Field("", max_length=200, description="From what to what it leads.", examples=["from glum to glad"])
    model: ModelChoice = None
    scores: dict[Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,19})$")], Score] = Field(
        max_length=MOST_FACES,
        description=f"By seed: above 0 for more of it, below 0 for less, to 1 and -1. At least {LEAST_EACH} of each; a "
        "few dozen are good.",
        examples=[{"1": 1, "2": -1, "3": 1, "4": -1, "5": 1, "6": -1, "7": 1, "8": -1}],
    )


class TaughtDirection(BaseModel):
    """A direction that was taught. Its id is known to whoever made it alone."""

    id: str = Field(description="For `taught` of POST /v1/edits.", examples=["0f1e2d3c4b5a69780f1e2d3c4b5a6978"])
    address: str = Field(description="Of this document.", examples=["/v1/directions/0f1e2d3c4b5a69780f1e2d3c4b5a6978"])
    file: str = Field(
        description="Where it is as a file, for `personne directions import`.",
        examples=["/v1/directions/0f1e2d3c4b5a69780f1e2d3c4b5a6978/file"],
    )
    kept_s: int = Field(description="Seconds for which it is kept, unless it is deleted before.", examples=[3600])
    model: str = Field(description="Digest of the model.", examples=["0f1e2d3c4b5a6978"])
    name: str = Field(examples=["cheerful"])
    meaning: str = Field(examples=["from glum to glad"])
    minimum: float = Field(examples=[-3.0])
    maximum: float = Field(examples=[3.0])
    accuracy: float = Field(
        description="Share of the faces that a direction made without them puts on their side, both kinds counted "
        "alike; 0.5 is chance.",
        examples=[0.83],
    )
    more: int = Field(description="Faces with more of it.", examples=[20])
    less: int = Field(description="Faces with less of it.", examples=[20])

    @classmethod
    def told(cls, direction: str, document: dict[str, Any], kept_s: int) -> "TaughtDirection":
        """document: what the worker left."""
        address = f"/v1/directions/{direction}"
        places = {"id": direction, "address": address, "file": f"{address}/file", "kept_s": kept_s}
        return cls.model_validate({**document, **places})
