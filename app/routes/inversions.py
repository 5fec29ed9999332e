"""/v1/inversions: from a photo to the latent that draws its face, and what may be done with that."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from app.config import AppConfig
from app.editing import stored_latent
from app.errands import Errands
from app.errors import (
    INVALID_PARAMETER,
    FaceNotFound,
    FaceTooSmall,
    JobCancelled,
    JobFailed,
    JobNotDone,
    JobNotFound,
    LandmarksMalformed,
    ModelNotLoaded,
    NoFormatAccepted,
    NoLatent,
    RequestTimedOut,
    SeveralFaces,
    SizeOutOfRange,
    UnknownParameter,
    UnreadablePhoto,
)
from app.idempotency import IDEMPOTENCY_PARAMETER
from app.inversion_schemas import Inversion, InversionQuery, ReconstructionQuery
from app.inverting import Inverting, inversion_of
from app.job_replies import ASKING_PROBLEMS, accepted_documented, job_reply, pictures_content
from app.negotiation import negotiate, whole_header
from app.ordering import Ordering, Wishes
from app.queries import client_gone
from app.replies import NEVER, picture_reply, problems_documented
from app.routes.translations import PHOTO_BODY
from app.uploads import UPLOAD_PROBLEMS
from app.webhooks.asking import WEBHOOK_PARAMETER
from jobs.contract import LATENT, JobId, JobResult, Lane
from jobs.errors import QueueFull, QueueUnavailable
from models.errors import ModelCannot, ModelNotFound, ModelRefused, WrongKindOfModel

FINDING = (FaceNotFound, SeveralFaces, FaceTooSmall, UnreadablePhoto, JobFailed, JobCancelled, ModelRefused)
PROBLEMS_OF_AN_INVERSION = (
    *UPLOAD_PROBLEMS,
    *ASKING_PROBLEMS,
    ModelNotFound,
    WrongKindOfModel,
    ModelCannot,
    INVALID_PARAMETER,
    LandmarksMalformed,
    *FINDING,
    QueueFull,
    QueueUnavailable,
    ModelNotLoaded,
)
LatentInPath = Annotated[
    str, Path(description="The id of an inversion.", examples=["0f1e2d3c4b5a69780f1e2d3c4b5a6978"])
]


def inversions_routes(config: AppConfig, ordering: Ordering, errands: Errands, inverting: Inverting) -> APIRouter:
    """POST /v1/inversions; GET and DELETE of one; GET of its picture."""
    router = APIRouter(prefix="/v1/inversions", tags=["inversions"])

    @router.post(
        "",
        summary="The latent of a face in a photo",
        responses={
            200: {"description": "The latent that was found.", "model": Inversion},
            **accepted_documented(),
            **problems_documented(*PROBLEMS_OF_AN_INVERSION),
        },
        openapi_extra={"requestBody": PHOTO_BODY, "parameters": [IDEMPOTENCY_PARAMETER, WEBHOOK_PARAMETER]},
        response_class=JSONResponse,
    )
    async def invert(request: Request, query: Annotated[InversionQuery, Query()]) -> Response:
        """The face is found, cut out as the model's training faces were, and a latent is sought whose picture is close.

        Edit it with POST /v1/edits and `latent`. Waiting, `Prefer` and `Idempotency-Key` are as of /v1/translations;
        the job's id is the latent's, and /v1/jobs/{id}/result has its numbers. The photo is kept in memory until the
        job ends, the latent for an hour at most: DELETE erases it at once.
        """
        job_id, job = await inverting.submit(request, query)
        reply = partial(_told, job_id, job.model)
        return await job_reply(request, errands, job_id, config.translation_wait_s, reply)

    @router.get(
        "/{latent}",
        summary="What was found",
        responses=problems_documented(UnknownParameter, JobNotFound, JobNotDone, NoLatent, *FINDING, QueueUnavailable),
    )
    async def told(latent: LatentInPath, response: Response) -> Inversion:
        """The document of a latent, for as long as it is kept."""
        response.headers["Cache-Control"] = NEVER
        return await inverting.told(JobId(latent))

    @router.get(
        "/{latent}/picture",
        summary="The picture of a latent",
        response_class=Response,
        responses={
            200: {"description": "What the model draws of it.", "content": pictures_content()},
            **problems_documented(
                UnknownParameter,
                INVALID_PARAMETER,
                SizeOutOfRange,
                NoFormatAccepted,
                JobNotFound,
                JobNotDone,
                NoLatent,
                RequestTimedOut,
                *FINDING,
                ModelNotFound,
                QueueFull,
                QueueUnavailable,
                ModelNotLoaded,
            ),
        },
    )
    async def picture(
        request: Request, latent: LatentInPath, query: Annotated[ReconstructionQuery, Query()]
    ) -> Response:
        """The reconstruction, as the model draws it; POST /v1/edits draws it changed."""
        picture_format = query.format or negotiate(whole_header(request, "accept"))
        stored = await stored_latent(errands, JobId(latent))
        job = ordering.stored_face(Wishes(model=stored.model, size=query.size), picture_format)
        job_id = await errands.submit(job, Lane.QUICK, config.request_timeout_s, {LATENT: stored.ws}, events=False)
        result = await errands.wait(job_id, config.request_timeout_s, partial(client_gone, request))
        if result is None:
            await errands.erase(job_id)
            raise RequestTimedOut(config.request_timeout_s)
        headers = {"Cache-Control": NEVER, "Personne-Model": job.model}
        return picture_reply(result, headers if query.format else {**headers, "Vary": "Accept"})

    @router.delete(
        "/{latent}",
        summary="Forget a latent, or stop looking for it",
        status_code=204,
        response_class=Response,
        responses=problems_documented(UnknownParameter, JobNotFound, QueueUnavailable),
    )
    async def erase(latent: LatentInPath) -> Response:
        """At once, and its photo with it, if that is still there."""
        await inverting.erase(JobId(latent))
        return Response(status_code=204, headers={"Cache-Control": NEVER})

    return router


def _told(latent: JobId, model: str, result: JobResult) -> Response:
    inversion = inversion_of(latent, result)
    headers = {"Content-Location": inversion.address, "Personne-Model": model, "Cache-Control": NEVER}
    return JSONResponse(inversion.model_dump(mode="json"), headers=headers)
