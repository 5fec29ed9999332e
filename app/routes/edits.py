"""POST /v1/edits: the face of a seed or of a stored latent, moved by attributes."""

from base64 import b64encode
from contextlib import nullcontext
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.config import AppConfig
from app.edit_schemas import EditedFace, EditRecipe, EditRequest
from app.editing import JSON
from app.errands import FAILURES, Errands
from app.errors import (
    DirectionRefused,
    JobNotDone,
    JobNotFound,
    LandmarksMalformed,
    NoDirection,
    NoFormatAccepted,
    NoLatent,
    SeedOrLatent,
    SeedOutOfRange,
    TooLongForFormat,
)
from app.idempotency import IDEMPOTENCY_PARAMETER
from app.job_replies import ASKING_PROBLEMS, accepted_documented, job_reply
from app.json_bodies import JsonRoute
from app.making import Making
from app.negotiation import negotiate, whole_header
from app.ordering import Ordering
from app.preferences import read_preferences
from app.replies import NEVER, picture_documented, picture_reply, problems_documented
from app.routes.face import MAKING_PROBLEMS
from app.routes.photo_edits import PHOTO_FORM
from app.uploads import UPLOAD_PROBLEMS
from app.webhooks.asking import WEBHOOK_PARAMETER
from jobs.contract import EditJob, GenerateJob, JobResult, PictureFormat
from models.mixing import mix_text

RECIPE_HEADER = "Personne-Recipe"


def edits_routes(config: AppConfig, ordering: Ordering, errands: Errands, making: Making) -> APIRouter:
    """POST /v1/edits."""
    router = APIRouter(tags=["edits"], route_class=JsonRoute)

    @router.post(
        "/v1/edits",
        summary="An edited face",
        response_class=Response,
        responses={
            **_documented(),
            **accepted_documented(),
            **problems_documented(
                *(SeedOrLatent, SeedOutOfRange, NoLatent, JobNotFound, JobNotDone, NoFormatAccepted, *MAKING_PROBLEMS),
                *(NoDirection, DirectionRefused, *ASKING_PROBLEMS),
                *(LandmarksMalformed, TooLongForFormat, *UPLOAD_PROBLEMS, *FAILURES),
            ),
        },
        openapi_extra={
            "parameters": [IDEMPOTENCY_PARAMETER, WEBHOOK_PARAMETER],
            "requestBody": {"content": PHOTO_FORM},
        },
    )
    async def edit(request: Request, wanted: EditRequest) -> Response:
        """The picture, its recipe as JSON in the header `Personne-Recipe`. With `Accept: application/json` both come
        as JSON. The edited face of a seed has a permanent address too (`Content-Location`), which needs no POST.

        As a form with the part `photo`, and `edit` with what is wanted as JSON: the face in the photo is found, its
        latent too, and edited; with `paste` the answer is the photo, changed as its face was.
        """
        accept = whole_header(request, "accept")
        as_json = _wants_json(accept)
        picture_format = wanted.format or (PictureFormat.JPEG if as_json else negotiate(accept))
        ordered = await making.edited(wanted, picture_format)
        job, limit_s = ordered.job, config.request_timeout_s
        address = ordering.address(job) if isinstance(job, GenerateJob) else None

        def reply(result: JobResult) -> Response:
            return _reply(job, result, address, wanted, as_json=as_json)

        # Who may be given an address instead of the picture may queue; all others are let in as for faces.
        may_queue = read_preferences(whole_header(request, "prefer")).said
        with nullcontext() if may_queue else errands.shedding.one_more():
            job_id = await making.started(request, wanted, ordered, limit_s)
            return await job_reply(request, errands, job_id, limit_s, reply, strict=True)

    return router


def _wants_json(accept: str | None) -> bool:
    """Whether the Accept header names JSON, and no picture."""
    named = (accept or "").lower()
    return JSON in named and "image/" not in named


def _reply(
    job: GenerateJob | EditJob, result: JobResult, address: str | None, wanted: EditRequest, *, as_json: bool
) -> Response:
    recipe = EditRecipe(
        kind=job.kind,  # type: ignore[arg-type]
        model=job.model,
        seed=None if job.seed is None else str(job.seed),
        latent=wanted.latent,
        taught=wanted.taught,
        attributes=dict(job.edits),
        keep=list(job.keep),
        directions=job.directions,
        mix=mix_text(job.mix),
        truncation_psi=job.truncation_psi,
        size=job.size,
        format=job.format.value,
        address=address,
    )
    headers = {"Cache-Control": NEVER, "Vary": "Accept", "Personne-Model": job.model}
    headers |= {"Content-Location": address} if address else {}
    headers |= {"Personne-Seed": recipe.seed} if recipe.seed else {}
    if as_json:
        data = f"data:{result.media_type};base64,{b64encode(result.body).decode()}"
        return JSONResponse(EditedFace(recipe=recipe, picture=data).model_dump(), headers=headers)
    return picture_reply(result, {**headers, RECIPE_HEADER: recipe.model_dump_json()})


def _documented() -> dict[int | str, dict[str, Any]]:
    documented = picture_documented("The edited face.", permanent=False)
    documented[200]["model"] = EditedFace
    documented[200]["headers"][RECIPE_HEADER] = {
        "description": "What it was made of, as JSON.",
        "schema": {"type": "string"},
    }
    return documented
