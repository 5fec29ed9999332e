"""GET /face: a new face at every request."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.errands import Errands
from app.errors import (
    INVALID_PARAMETER,
    JobCancelled,
    JobFailed,
    ModelNotLoaded,
    NoFormatAccepted,
    Overloaded,
    RateLimited,
    RequestTimedOut,
    SizeOutOfRange,
    TooCostly,
    UnknownParameter,
)
from app.negotiation import negotiate, whole_header
from app.ordering import Ordering, draw_seed
from app.picture_headers import PictureHeaders
from app.queries import TAKES_ATTRIBUTES, client_gone
from app.ready_faces import Face, ReadyFaces
from app.replies import picture_documented, picture_reply, problems_documented
from app.schemas import FaceQuery
from jobs.contract import GenerateJob, Lane
from jobs.errors import JobUnknown, QueueFull, QueueUnavailable
from models.errors import (
    AttributeOutOfRange,
    DirectionsGone,
    EditRefused,
    MixRefused,
    ModelCannot,
    ModelNotFound,
    ModelRefused,
    NoSuchAttribute,
    NoSuchClass,
    WrongKindOfModel,
)

MAKING_PROBLEMS = (
    ModelNotFound,
    UnknownParameter,
    INVALID_PARAMETER,
    SizeOutOfRange,
    WrongKindOfModel,
    NoSuchClass,
    ModelCannot,
    AttributeOutOfRange,
    EditRefused,
    MixRefused,
    DirectionsGone,
    NoSuchAttribute,
    JobFailed,
    RateLimited,
    TooCostly,
    ModelRefused,
    QueueFull,
    Overloaded,
    QueueUnavailable,
    ModelNotLoaded,
    JobCancelled,
    JobUnknown,
    RequestTimedOut,
)

SPARE = {"Personne-Spare": "yes"}


async def new_face(job: GenerateJob, request: Request, ready: ReadyFaces, errands: Errands) -> Face:
    """One from the pool when it holds what the job asks (with a seed of its own), else made now.

    Either costs the same, and who is refused takes nothing out of the pool. While none can be made, a spare one, which
    is not new.
    """
    with ready.offer(job) as face:
        if face is not None:
            await errands.pay(job)
            return face
    try:
        return Face(job, await errands.run(job, Lane.QUICK, partial(client_gone, request)))
    except (QueueUnavailable, ModelNotLoaded):
        if spare := ready.spare(job):
            return spare
        raise


def face_routes(ordering: Ordering, ready: ReadyFaces, errands: Errands) -> APIRouter:
    """GET /face."""
    router = APIRouter(tags=["faces"])

    @router.get(
        "/face",
        summary="A new face",
        response_class=Response,
        responses={
            **picture_documented("The face of nobody, never given before.", permanent=False),
            **problems_documented(NoFormatAccepted, *MAKING_PROBLEMS),
        },
        openapi_extra=TAKES_ATTRIBUTES,
    )
    async def face(request: Request, query: Annotated[FaceQuery, Query()]) -> Response:
        """A face that nobody has seen before. `Content-Location` says where this very face stays.

        JPEG, unless the query names another format or the `Accept` header excludes JPEG. While no face can be made and
        none is left in the pool, one that came with the release, which is told by the header `Personne-Spare`.
        """
        picture_format = query.format or negotiate(whole_header(request, "accept"))
        made = await new_face(ordering.face(draw_seed(), query.wishes, picture_format), request, ready, errands)
        headers = PictureHeaders(made.job, ordering.address(made.job), negotiated=True).drawn()
        return picture_reply(made.result, headers | SPARE if made.spare else headers)

    return router
