"""/v1/directions: a new attribute out of faces that have more or less of something, tried before it is kept."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from app.config import AppConfig
from app.errands import Errands
from app.errors import (
    INVALID_PARAMETER,
    DirectionRefused,
    JobCancelled,
    JobFailed,
    JobNotDone,
    JobNotFound,
    ModelNotLoaded,
    NoDirection,
    SeedOutOfRange,
    UnknownParameter,
)
from app.idempotency import IDEMPOTENCY_PARAMETER
from app.job_replies import ASKING_PROBLEMS, accepted_documented, job_reply
from app.json_bodies import BODY_PROBLEMS, JsonRoute
from app.replies import NEVER, problems_documented
from app.teaching import Teaching, direction_of
from app.teaching_schemas import TaughtDirection, TeachRequest
from app.webhooks.asking import WEBHOOK_PARAMETER
from jobs.contract import JobId, JobResult
from jobs.errors import QueueFull, QueueUnavailable
from models.errors import ModelNotFound, ModelRefused, WrongKindOfModel

DirectionInPath = Annotated[str, Path(description="The direction's id.", examples=["0f1e2d3c4b5a69780f1e2d3c4b5a6978"])]
OF_THE_MODEL = (ModelNotFound, WrongKindOfModel, ModelRefused, ModelNotLoaded)
OF_THE_QUEUE = (QueueUnavailable, JobFailed, JobCancelled)
KEPT = (UnknownParameter, JobNotFound, JobNotDone, NoDirection, *OF_THE_MODEL, *OF_THE_QUEUE)
NPZ = "application/octet-stream"


def directions_routes(config: AppConfig, errands: Errands, teaching: Teaching) -> APIRouter:
    """POST /v1/directions, GET and DELETE of one, GET of its file."""
    router = APIRouter(prefix="/v1/directions", tags=["edits"], route_class=JsonRoute)

    @router.post(
        "",
        summary="Teach an attribute by faces that have more or less of it",
        response_model=TaughtDirection,
        responses={
            **accepted_documented(),
            **problems_documented(
                *(UnknownParameter, INVALID_PARAMETER, SeedOutOfRange, DirectionRefused, QueueFull),
                *(*BODY_PROBLEMS, *ASKING_PROBLEMS, *OF_THE_MODEL, *OF_THE_QUEUE),
            ),
        },
        openapi_extra={"parameters": [IDEMPOTENCY_PARAMETER, WEBHOOK_PARAMETER]},
    )
    async def teach(request: Request, wanted: TeachRequest) -> Response:
        """The direction from the mean of the faces with less to that of those with more, in w. It is kept for an hour:
        POST /v1/edits moves faces along it with `taught`, under its name. Its file is for `personne directions import`,
        which makes it an attribute of the model for good.
        """
        job_id, job = await teaching.submit(request, wanted)

        def reply(result: JobResult) -> Response:
            told = direction_of(job_id, result)
            headers = {"Content-Location": told.address, "Personne-Model": job.model, "Cache-Control": NEVER}
            return JSONResponse(told.model_dump(mode="json"), headers=headers)

        return await job_reply(request, errands, job_id, config.translation_wait_s, reply)

    @router.get("/{direction}", summary="A direction that was taught", responses=problems_documented(*KEPT))
    async def told(direction: DirectionInPath, response: Response) -> TaughtDirection:
        """What is known of it, for as long as it is kept."""
        response.headers["Cache-Control"] = NEVER
        return await teaching.told(JobId(direction))

    @router.get(
        "/{direction}/file",
        summary="The same as a file",
        response_class=Response,
        responses={
            200: {
                "description": "A NumPy archive.",
                "content": {NPZ: {"schema": {"type": "string", "format": "binary"}}},
            },
            **problems_documented(*KEPT),
        },
    )
    async def file(direction: DirectionInPath) -> Response:
        """`personne directions import MODEL FILE` puts it into the model's folder."""
        taught = await teaching.taught(JobId(direction))
        named = f'attachment; filename="{taught.direction.name}.npz"'
        return Response(taught.file, media_type=NPZ, headers={"Content-Disposition": named, "Cache-Control": NEVER})

    @router.delete(
        "/{direction}",
        summary="Forget a direction that was taught",
        status_code=204,
        response_class=Response,
        responses=problems_documented(UnknownParameter, JobNotFound, QueueUnavailable),
    )
    async def erase(direction: DirectionInPath) -> Response:
        """At once."""
        await teaching.erase(JobId(direction))
        return Response(status_code=204, headers={"Cache-Control": NEVER})

    return router
