"""A job as it is told of: the document of its state, and the answer to the request that made it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from app.errands import Errands, error_of
from app.errors import (
    PROBLEMS,
    IdempotencyKeyMalformed,
    JobNotFound,
    RequestTimedOut,
    WebhookRefused,
    WebhooksOff,
)
from app.idempotency import is_repeatable
from app.job_schemas import JobShown
from app.negotiation import whole_header
from app.preferences import Preferences, read_preferences
from app.queries import client_gone
from app.replies import NEVER
from app.schemas import Problem
from jobs.contract import JobFailure, JobId, JobResult, JobStage, JobStatus
from jobs.errors import JobUnknown, KeyReused

COME_BACK_S = 1
ASKING_PROBLEMS = (IdempotencyKeyMalformed, KeyReused, WebhooksOff, WebhookRefused)
"""What a request that makes a job may be refused with for its headers and its webhook."""

Responses = dict[int | str, dict[str, Any]]


Reply = Callable[[JobResult], Response]


async def job_reply(
    request: Request, errands: Errands, job_id: JobId, limit_s: float, reply: Reply, *, strict: bool = False
) -> Response:
    """The result of a job as soon as it is there, or 202 with its address, as the Prefer header has it.

    limit_s: how long the request waits at most. reply: makes the answer of a picture. strict: after limit_s the job is
    cancelled, unless the client prefers its address. Whoever leaves meanwhile cancels the job, unless an idempotency
    key says that they mean to ask again. Raises what Errands.wait raises, RequestTimedOut.
    """
    preferences = read_preferences(whole_header(request, "prefer")).bounded(limit_s)
    repeatable = is_repeatable(request)
    within_s = preferences.within(limit_s)
    result: JobResult | None = None
    if within_s:
        try:
            result = await errands.wait(job_id, within_s, partial(client_gone, request), stays=repeatable)
        except JobUnknown:
            # Made by an earlier request with the same idempotency key, and expired since.
            if not repeatable:
                raise
        else:
            if result is None and strict and not preferences.said:
                await errands.erase(job_id)
                raise RequestTimedOut(limit_s)
    if result is None:
        return await accepted_reply(request, errands, job_id, preferences)
    answer = result_reply(errands, job_id, result, reply)
    answer.headers.update(preferences.applied)
    answer.headers.setdefault("Content-Location", f"{job_address(job_id)}/result")
    answer.headers.setdefault("Cache-Control", NEVER)
    return answer


def result_reply(errands: Errands, job_id: JobId, result: JobResult, reply: Reply) -> Response:
    """A result, be it in parts: those go out one by one, and no more than one is in the web's memory."""
    if result.parts is None:
        return reply(result)
    headers = {
        "Cache-Control": NEVER,
        "Content-Length": str(result.parts.total_bytes),
        "Content-Disposition": f'attachment; filename="{job_id}.zip"',
    }
    return StreamingResponse(errands.parts(job_id, result.parts), media_type=result.media_type, headers=headers)


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
    shared = {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": str(error)}
    return Problem.model_validate({**failure.details, **shared})
