"""POST /v1/jobs and /v1/datasets: work that whoever asks does not wait for."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from app.errands import Errands
from app.errors import (
    DatasetTooBig,
    DirectionRefused,
    GridTooLarge,
    GridUnclear,
    JobNotDone,
    JobNotFound,
    MorphTooLarge,
    MorphTooShort,
    NoDirection,
    NoLatent,
    SeedOrLatent,
    SeedOutOfRange,
)
from app.idempotency import IDEMPOTENCY_PARAMETER
from app.job_replies import ASKING_PROBLEMS, accepted_documented, job_reply, pictures_content
from app.job_requests import DatasetRequest, JobRequest
from app.json_bodies import BODY_PROBLEMS, JsonRoute
from app.making import Making
from app.negotiation import whole_header
from app.preferences import read_preferences
from app.replies import NEVER, picture_reply, problems_documented
from app.routes.face import MAKING_PROBLEMS
from app.routes.jobs import ZIP_CONTENT
from app.webhooks.asking import WEBHOOK_PARAMETER
from jobs.contract import JobId

NO_WAIT_S = 0.0


def making_routes(errands: Errands, making: Making, longest_wait_s: float) -> APIRouter:
    """POST /v1/jobs and /v1/datasets. longest_wait_s: what `Prefer: wait` may ask for."""
    router = APIRouter(prefix="/v1", tags=["jobs"], route_class=JsonRoute)

    async def answer(request: Request, job_id: JobId) -> Response:
        waits = read_preferences(whole_header(request, "prefer")).wait_s is not None
        reply = partial(picture_reply, headers={"Cache-Control": NEVER})
        return await job_reply(request, errands, job_id, longest_wait_s if waits else NO_WAIT_S, reply)

    @router.post(
        "/jobs",
        summary="A job of any kind that needs no photo",
        response_class=Response,
        status_code=202,
        responses={
            **_finished("The result, where `Prefer: wait` waited long enough for it."),
            **accepted_documented(),
            **problems_documented(
                *(SeedOutOfRange, SeedOrLatent, NoLatent, JobNotFound, JobNotDone, DatasetTooBig, *ASKING_PROBLEMS),
                *(NoDirection, DirectionRefused, MorphTooLarge, MorphTooShort, *BODY_PROBLEMS),
                *(GridUnclear, GridTooLarge),
                *MAKING_PROBLEMS,
            ),
        },
        openapi_extra={"parameters": [IDEMPOTENCY_PARAMETER, WEBHOOK_PARAMETER]},
    )
    async def job(request: Request, wanted: JobRequest) -> Response:
        """`kind` is `generate`, `edit`, `morph`, `grid` or `dataset`. The answer is 202 with the job's address, at
        once.

        Photos go to their own address, with `Prefer: respond-async`.
        """
        return await answer(request, await making.submit(request, wanted))

    @router.post(
        "/datasets",
        summary="A data set: many faces with their labels, as a zip",
        response_class=Response,
        status_code=202,
        responses={
            **_finished("The zip, where `Prefer: wait` waited long enough for it."),
            **accepted_documented(),
            **problems_documented(SeedOutOfRange, DatasetTooBig, *BODY_PROBLEMS, *ASKING_PROBLEMS, *MAKING_PROBLEMS),
        },
        openapi_extra={"parameters": [IDEMPOTENCY_PARAMETER, WEBHOOK_PARAMETER]},
    )
    async def dataset(request: Request, wanted: DatasetRequest) -> Response:
        """Faces of consecutive seeds: `faces/000000.jpg` and so on, `labels.csv` with seed, class and attributes of
        each, `about.json` with model and licence. The answer is 202 with the job's address, whose events tell
        of progress.
        """
        return await answer(request, await making.submit(request, wanted))

    return router


def _finished(description: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": pictures_content() | ZIP_CONTENT}}
