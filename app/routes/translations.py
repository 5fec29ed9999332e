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
from app.negotiation import negotiate
from app.ordering import SMALLEST_SIZE, Ordering
from app.photo_headers import PhotoHeader
from app.preferences import read_preferences
from app.queries import client_gone
from app.replies import NEVER, picture_reply, problems_documented
from app.routes.jobs import accepted_documented, accepted_headers, job_address, pictures_content, shown
from app.translation_schemas import TranslationQuery
from app.uploads import Uploads
from jobs.contract import C2PA, PHOTO, JobId, Lane, TranslateJob
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


def translations_routes(config: AppConfig, ordering: Ordering, errands: Errands, uploads: Uploads) -> APIRouter:
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
        style = ordering.model(query.style).translator
        if query.seed is not None:
            raise SeedNotTaken
        async with uploads.photo_of(request) as upload:
            job = _job(query, style.digest, style.name, upload.header, request.headers.get("accept"))
            inputs = {PHOTO: upload.body} | ({C2PA: upload.header.c2pa} if upload.header.c2pa else {})
            job_id = await errands.submit(job, Lane.SLOW, config.job_timeout_s, inputs)
        del upload, inputs
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


def _job(query: TranslationQuery, digest: str, name: str, photo: PhotoHeader, accept: str | None) -> TranslateJob:
    """Raises SizeOutOfRange, NoFormatAccepted."""
    longest = max(photo.width, photo.height)
    smallest = min(SMALLEST_SIZE, longest)
    if query.size is not None and not smallest <= query.size <= longest:
        raise SizeOutOfRange(query.size, smallest, longest, name)
    return TranslateJob(
        model=digest,
        strength=query.strength,
        format=query.format or negotiate(accept, photo.format),
        size=query.size,
    )
