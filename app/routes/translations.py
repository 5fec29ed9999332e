"""POST /v1/translations: a photo in another style."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from app.config import AppConfig
from app.errands import Errands
from app.errors import (
    INVALID_PARAMETER,
    AnimatedPhoto,
    JobCancelled,
    JobFailed,
    ModelNotLoaded,
    NoFormatAccepted,
    PhotoMissing,
    RepeatedParameter,
    SeedNotTaken,
    SizeOutOfRange,
    TooManyPixels,
    UnknownParameter,
    UnreadablePhoto,
    UnsupportedPhoto,
    UploadMalformed,
    UploadsBusy,
    UploadTooBig,
    UploadTooSlow,
)
from app.preferences import read_preferences
from app.queries import client_gone
from app.replies import NEVER, picture_reply, problems_documented
from app.routes.jobs import accepted_documented, accepted_headers, job_address, pictures_content, shown
from app.translating import Translating
from app.translation_schemas import TranslationQuery
from jobs.contract import JobId
from jobs.errors import QueueFull, QueueUnavailable
from models.errors import ModelNotFound, ModelRefused, WrongKindOfModel

PROBLEMS_OF_A_TRANSLATION = (
    ModelNotFound,
    WrongKindOfModel,
    UnknownParameter,
    RepeatedParameter,
    INVALID_PARAMETER,
    SizeOutOfRange,
    SeedNotTaken,
    NoFormatAccepted,
    PhotoMissing,
    UploadTooBig,
    UploadTooSlow,
    UploadMalformed,
    UnsupportedPhoto,
    AnimatedPhoto,
    TooManyPixels,
    UnreadablePhoto,
    JobFailed,
    JobCancelled,
    ModelRefused,
    UploadsBusy,
    QueueFull,
    QueueUnavailable,
    ModelNotLoaded,
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"type": "object", "properties": {"photo": {"type": "string", "format": "binary"}}, "required": ["photo"]}
PHOTO_BODY = {
    "required": True,
    "description": "The photo: JPEG, PNG or WebP, as it is or as the part `photo` of a form.",
    "content": {
        "multipart/form-data": {"schema": _FORM},
        **{f"image/{kind}": _BINARY for kind in ("jpeg", "png", "webp")},
    },
}


def translations_routes(config: AppConfig, errands: Errands, translating: Translating) -> APIRouter:
    """POST /v1/translations."""
    router = APIRouter(tags=["translations"])

    @router.post(
        "/v1/translations",
        summary="A photo in another style",
        response_class=Response,
        responses={
            200: {"description": "The translation, of the photo's width and height.", "content": pictures_content()},
            **accepted_documented(),
            **problems_documented(*PROBLEMS_OF_A_TRANSLATION),
        },
        openapi_extra={"requestBody": PHOTO_BODY},
    )
    async def translation(request: Request, query: Annotated[TranslationQuery, Query()]) -> Response:
        """The photo's width and height, turned upright as EXIF says, in sRGB, opacity kept, and nothing else of it: no
        EXIF, GPS or XMP. Its own format, unless the query names another or `Accept` excludes it.

        A request waits up to a minute; then, or at once with `Prefer: respond-async`, the answer is 202 with the job's
        address. `Prefer: wait=5` waits five seconds. The photo is kept in memory until the job ends, and nowhere else.
        """
        preferences = read_preferences(request.headers.get("prefer"))
        job_id, job = await translating.submit(request, query)
        within_s = preferences.within(config.translation_wait_s)
        result = await errands.wait(job_id, within_s, partial(client_gone, request)) if within_s else None
        if result is None:
            return await _accepted(job_id, preferences.applied)
        headers = {
            "Cache-Control": NEVER,
            "Content-Location": f"{job_address(job_id)}/result",
            "Personne-Model": job.model,
            **preferences.applied,
        }
        return picture_reply(result, headers if query.format else {**headers, "Vary": "Accept"})

    async def _accepted(job_id: JobId, applied: dict[str, str]) -> Response:
        document: dict[str, Any] = shown(job_id, await errands.status(job_id)).model_dump(mode="json")
        return JSONResponse(document, 202, headers={**accepted_headers(job_id), **applied})

    return router
