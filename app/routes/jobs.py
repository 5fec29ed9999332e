"""/v1/jobs: how far a job is, its result, and its end."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.errands import FAILURES, Errands
from app.errors import JobNotDone, JobNotFound, UnknownParameter
from app.job_replies import pictures_content, result_reply, shown
from app.job_schemas import JobShown
from app.replies import NEVER, picture_reply, problems_documented
from jobs.contract import AnimationFormat, JobId
from jobs.errors import QueueUnavailable

_MOVING = {one.media_type: {"schema": {"type": "string", "format": "binary"}} for one in AnimationFormat}
_JSON = {"application/json": {"schema": {"type": "object"}}}
ZIP_CONTENT = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
IdInPath = Annotated[str, Path(description="The job's id.", examples=["0f1e2d3c4b5a69780f1e2d3c4b5a6978"])]


def jobs_routes(errands: Errands) -> APIRouter:
    """GET and DELETE /v1/jobs/{job_id}, GET /v1/jobs/{job_id}/result."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

    @router.get(
        "/{job_id}",
        summary="How far a job is",
        responses=problems_documented(UnknownParameter, JobNotFound, QueueUnavailable),
    )
    async def job(job_id: IdInPath, response: Response) -> JobShown:
        """Ask again while it waits or runs; a moment's pause in between is polite. A failed job says why."""
        response.headers["Cache-Control"] = NEVER
        return shown(JobId(job_id), await errands.status(JobId(job_id)))

    @router.get(
        "/{job_id}/result",
        summary="The result of a job",
        response_class=Response,
        responses={
            200: {
                "description": "The picture, the moving picture, the zip, or what was found or taught as JSON.",
                "content": pictures_content() | _MOVING | ZIP_CONTENT | _JSON,
            },
            **problems_documented(
                UnknownParameter,
                JobNotFound,
                JobNotDone,
                *FAILURES,
                QueueUnavailable,
            ),
        },
    )
    async def result(job_id: IdInPath) -> Response:
        """The picture or the zip, as long as results are kept: five minutes, unless the operator chose otherwise."""
        found = await errands.result(JobId(job_id))
        return result_reply(errands, JobId(job_id), found, partial(picture_reply, headers={"Cache-Control": NEVER}))

    @router.delete(
        "/{job_id}",
        summary="Cancel a job, or delete its result",
        status_code=204,
        response_class=Response,
        responses=problems_documented(UnknownParameter, JobNotFound, QueueUnavailable),
    )
    async def erase(job_id: IdInPath) -> Response:
        """Its photo is erased at once. One that runs stops at its next piece of work; one that is done is forgotten."""
        await errands.erase(JobId(job_id))
        return Response(status_code=204, headers={"Cache-Control": NEVER})

    return router
