"""A job as it is told of: the document of its state, and the answer to the request that made it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from app.errands import Errands, error_of
from app.errors import PROBLEMS, JobNotFound
from app.idempotency import is_repeatable
from app.job_schemas import JobShown
from app.preferences import Preferences, read_preferences
from app.queries import client_gone
from app.replies import NEVER, picture_reply
from app.schemas import Problem
from jobs.contract import JobFailure, JobId, JobResult, JobStage, JobStatus
from jobs.errors import JobUnknown

COME_BACK_S = 1
Responses = dict[int | str, dict[str, Any]]


async def job_reply(
    request: Request, errands: Errands, job_id: JobId, limit_s: float, headers: Mapping[str, str]
) -> Response:
    """The result of a job as soon as it is there, or 202 with its address, as the Prefer header has it.

    limit_s: how long the request waits at most. headers: of a picture. Whoever leaves meanwhile cancels the job, unless
    an idempotency key says that they mean to ask again. Raises what Errands.wait raises.
    """
    preferences = read_preferences(request.headers.get("prefer"))
    within_s = preferences.within(limit_s)
    result: JobResult | None = None
    if within_s:
        gone = partial(client_gone, request)
        try:
            result = await errands.wait(job_id, within_s, gone, stays=is_repeatable(request))
        except JobUnknown:
            # Made by an earlier request with the same idempotency key, and expired since.
            if not is_repeatable(request):
                raise
    if result is None:
        return await accepted_reply(request, errands, job_id, preferences)
    found = {"Cache-Control": NEVER, "Content-Location": f"{job_address(job_id)}/result"}
    return picture_reply(result, {**found, **headers, **preferences.applied})


async def accepted_reply(request: Request, errands: Errands, job_id: JobId, preferences: Preferences) -> Response:
    """202: the job goes on, and here is its address."""
    try:
        document = shown(job_id, await errands.status(job_id))
    except JobNotFound:
        if not is_repeatable(request):
            raise
        document = JobShown(
            id=job_id,
            address=job_address(job_id),
            state="expired",
            position=None,
            progress=None,
            result=None,
            problem=None,
        )
    headers = {"Location": document.address, "Retry-After": str(COME_BACK_S), "Cache-Control": NEVER}
    return JSONResponse(document.model_dump(mode="json"), 202, headers={**headers, **preferences.applied})


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
