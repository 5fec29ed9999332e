"""POST /v1/shares: the address of one picture, for whoever is given it, for a while."""

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from app.access.links import SharedLinks, scope_to_share
from app.access.visitor import VISITOR
from app.errors import INVALID_PARAMETER, RepeatedParameter, UnknownParameter
from app.errors.access import NotShareable, ScopeMissing, SharingOff
from app.replies import NEVER, problems_documented

A_WEEK_S = 7 * 24 * 3600


class ShareQuery(BaseModel):
    """What is to be shared, and for how long."""

    address: str = Field(
        max_length=2000,
        description="Address of a face or of a job's result, as this service writes it.",
        examples=["/v1/faces/7.jpg?model=0f1e2d3c4b5a6978&truncation_psi=0.7"],
    )
    seconds: int = Field(3600, ge=1, le=A_WEEK_S, description="How long the shared address is good.", examples=[3600])


class Share(BaseModel):
    """An address for whoever is given it."""

    address: str = Field(examples=["/v1/faces/7.jpg?by=&expires=1790000000&signature=0f1e…"])
    expires: datetime


def shares_routes(links: SharedLinks) -> APIRouter:
    """POST /v1/shares."""
    router = APIRouter(tags=["sharing"])

    @router.post(
        "/v1/shares",
        summary="Share one picture",
        responses=problems_documented(
            *(UnknownParameter, RepeatedParameter, INVALID_PARAMETER, NotShareable, ScopeMissing, SharingOff)
        ),
    )
    async def share(response: Response, query: Annotated[ShareQuery, Query()]) -> Share:
        """A signed address that shows this one picture to whoever has it, without a key, until it expires; changed by a
        letter it shows nothing. It ends earlier when the key is revoked that made it, or when the job's result is gone.
        """
        response.headers["Cache-Control"] = NEVER
        scope, visitor = scope_to_share(query.address), VISITOR.get()
        if visitor is not None and not visitor.may(scope):
            raise ScopeMissing(scope, visitor.scopes or ())
        by = visitor.key.id if visitor is not None and visitor.key is not None else ""
        expires = int(time.time()) + query.seconds
        return Share(address=links.sign(query.address, by, expires), expires=datetime.fromtimestamp(expires, UTC))

    return router
