"""/v1/jobs: how far a job is, its result, and its end."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from app.errands import Errands, error_of
from app.errors import PROBLEMS, JobCancelled, JobFailed, JobNotDone, JobNotFound, UnknownParameter, UnreadablePhoto
from app.job_schemas import JobShown
from app.replies import NEVER, picture_reply, problems_documented
from app.schemas import Problem
from jobs.contract import JobFailure, JobId, JobStage, JobStatus
from jobs.errors import QueueUnavailable
from models.errors import ModelRefused

COME_BACK_S = 1
IdInPath = Annotated[str, Path(description="The job's id.", examples=["0f1e2d3c4b5a69780f1e2d3c4b5a6978"])]
Responses = dict[int | str, dict[str, Any]]


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
            200: {"description": "The picture.", "content": pictures_content()},
            **problems_documented(
                UnknownParameter,
                JobNotFound,
                JobNotDone,
                JobCancelled,
                JobFailed,
                UnreadablePhoto,
                ModelRefused,
                QueueUnavailable,
            ),
        },
    )
    async def result(job_id: IdInPath) -> Response:
        """The picture, for as long as results are kept (five minutes, unless the operator chose otherwise)."""
        return picture_reply(await errands.result(JobId(job_id)), {"Cache-Control": NEVER})

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


def shown(job_id: JobId, status: JobStatus) -> JobShown:
    """The document of a job."""
    cancelled = status.failure is not None and status.failure.code == "cancelled"
    return JobShown(
        id=job_id,
        address=job_address(job_id),
        state="cancelled" if cancelled else status.stage.value,
        position=status.position,
        progress=status.progress,
        result=f"{job_address(job_id)}/result" if status.stage is JobStage.DONE else None,
        problem=None if status.failure is None else _problem(status.failure),
    )


def job_address(job_id: JobId) -> str:
    return f"/v1/jobs/{job_id}"


def accepted_headers(job_id: JobId) -> dict[str, str]:
    """Of a 202: where the job is, and when to look first."""
    return {"Location": job_address(job_id), "Retry-After": str(COME_BACK_S), "Cache-Control": NEVER}


def accepted_documented() -> Responses:
    """OpenAPI `responses` for a 202."""
    headers = {
        "Location": "The job's address.",
        "Retry-After": "Seconds until the first look at it is worth while.",
        "Preference-Applied": "What of the Prefer header was heeded.",
    }
    described = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
    return {202: {"description": "The job goes on; here is its address.", "model": JobShown, "headers": described}}


def pictures_content() -> dict[str, Any]:
    """OpenAPI `content` of a picture."""
    return {f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("jpeg", "png", "webp")}


def _problem(failure: JobFailure) -> Problem:
    error = error_of(failure)
    kind = PROBLEMS[type(error)]
    return Problem(type=kind.uri, title=kind.title, status=kind.status, detail=str(error))
