"""POST /v1/edits: the face of a seed or of a stored latent, moved by attributes."""

import json
from base64 import b64decode, b64encode
from functools import partial
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.config import AppConfig
from app.edit_schemas import EditedFace, EditRecipe, EditRequest
from app.errands import Errands
from app.errors import (
    JobNotDone,
    JobNotFound,
    NoFormatAccepted,
    NoLatent,
    RequestTimedOut,
    SeedOrLatent,
    SeedOutOfRange,
)
from app.negotiation import negotiate
from app.ordering import Ordering, Wishes, read_seed
from app.queries import client_gone
from app.replies import NEVER, picture_documented, picture_reply, problems_documented
from app.routes.face import MAKING_PROBLEMS
from jobs.contract import LATENT, EditJob, GenerateJob, JobId, JobResult, Lane, PictureFormat

JSON = "application/json"
RECIPE_HEADER = "Personne-Recipe"


class StoredLatent(NamedTuple):
    """What an inversion left: the digest of its model, and ws as raw little-endian float32."""

    model: str
    ws: bytes


def edits_routes(config: AppConfig, ordering: Ordering, errands: Errands) -> APIRouter:
    """POST /v1/edits."""
    router = APIRouter(tags=["edits"])

    @router.post(
        "/v1/edits",
        summary="An edited face",
        response_class=Response,
        responses={
            **_documented(),
            **problems_documented(
                *(SeedOrLatent, SeedOutOfRange, NoLatent, JobNotFound, JobNotDone, NoFormatAccepted, *MAKING_PROBLEMS)
            ),
        },
    )
    async def edit(request: Request, wanted: EditRequest) -> Response:
        """The picture, its recipe as JSON in the header `Personne-Recipe`. With `Accept: application/json` both come
        as JSON. The edited face of a seed has a permanent address too (`Content-Location`), which needs no POST.
        """
        accept = request.headers.get("accept")
        as_json = _wants_json(accept)
        picture_format = wanted.format or (PictureFormat.JPEG if as_json else negotiate(accept))
        gone = partial(client_gone, request)
        if (wanted.seed is None) == (wanted.latent is None):
            raise SeedOrLatent
        job: GenerateJob | EditJob
        if wanted.seed is not None:
            job = ordering.face(read_seed(str(wanted.seed)), _wishes(wanted), picture_format)
            result = await errands.run(job, Lane.QUICK, gone)
            return _reply(job, result, ordering.address(job), None, as_json=as_json)
        stored = await stored_latent(errands, JobId(wanted.latent or ""))
        job = ordering.stored_face(_wishes(wanted, stored.model), picture_format)
        job_id = await errands.submit(job, Lane.QUICK, config.request_timeout_s, {LATENT: stored.ws})
        late = await errands.wait(job_id, config.request_timeout_s, gone)
        if late is None:
            await errands.erase(job_id)
            raise RequestTimedOut(config.request_timeout_s)
        return _reply(job, late, None, wanted.latent, as_json=as_json)

    return router


async def stored_latent(errands: Errands, latent: JobId) -> StoredLatent:
    """What the inversion of that id left. Raises JobNotFound, JobNotDone, NoLatent, QueueUnavailable, and why the
    inversion failed."""
    result = await errands.result(latent)
    if result.media_type != JSON:
        raise NoLatent
    try:
        document = json.loads(result.body)
        return StoredLatent(str(document["model"]), b64decode(document["ws"], validate=True))
    except (KeyError, TypeError, ValueError):
        raise NoLatent from None


def _wishes(wanted: EditRequest, model: str | None = None) -> Wishes:
    """model: of a stored latent, which no other model can draw."""
    return Wishes(
        model=model or wanted.model,
        truncation_psi=wanted.truncation_psi,
        size=wanted.size,
        edits=tuple(wanted.attributes.items()),
        keep=wanted.keep,
        directions=wanted.directions,
    )


def _wants_json(accept: str | None) -> bool:
    """Whether the Accept header names JSON, and no picture."""
    named = (accept or "").lower()
    return JSON in named and "image/" not in named


def _reply(
    job: GenerateJob | EditJob, result: JobResult, address: str | None, latent: str | None, *, as_json: bool
) -> Response:
    recipe = EditRecipe(
        kind=job.kind,  # type: ignore[arg-type]
        model=job.model,
        seed=str(job.seed) if isinstance(job, GenerateJob) else None,
        latent=latent,
        attributes=dict(job.edits),
        keep=list(job.keep),
        directions=job.directions,
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
    documented[200]["content"][JSON] = {
        "schema": EditedFace.model_json_schema(ref_template="#/components/schemas/{model}")
    }
    documented[200]["headers"][RECIPE_HEADER] = {
        "description": "What it was made of, as JSON.",
        "schema": {"type": "string"},
    }
    return documented
