"""What /v1/jobs says of a job."""

from typing import Literal

from pydantic import BaseModel, Field

from app.schemas import Problem


class JobShown(BaseModel):
    """How far a job is. Its id is known to whoever made it alone; keep it as you would the picture."""

    id: str = Field(examples=["0f1e2d3c4b5a69780f1e2d3c4b5a6978"])
    address: str = Field(description="Of this document.", examples=["/v1/jobs/0f1e2d3c4b5a69780f1e2d3c4b5a6978"])
    state: Literal["waiting", "running", "done", "failed", "cancelled", "expired"] = Field(
        description="`expired` in the answer to a request that was repeated after its result was gone, only."
    )
    position: int | None = Field(
        None, description="How many jobs are taken before it, while it waits; null where too many to count."
    )
    progress: float | None = Field(None, description="0 to 1 while it runs, where its worker has said so.")
    result: str | None = Field(
        None,
        description="Where the picture is, once it is done.",
        examples=["/v1/jobs/0f1e2d3c4b5a69780f1e2d3c4b5a6978/result"],
    )
    problem: Problem | None = Field(None, description="Why there is no result, and will be none.")
