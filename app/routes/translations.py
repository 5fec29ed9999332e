"""POST /v1/translations: a photo in another style."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.config import AppConfig
from app.errands import Errands
from app.errors import (
    INVALID_PARAMETER,
    JobCancelled,
    JobFailed,
    MaskMissing,
    MaskNotWanted,
    MaskRefused,
    ModelNotLoaded,
    NoFormatAccepted,
    ResultTooLarge,
    SeedNotTaken,
    SizeOutOfRange,
    TooLongForFormat,
)
from app.idempotency import IDEMPOTENCY_PARAMETER
from app.job_replies import ASKING_PROBLEMS, accepted_documented, job_reply, pictures_content
from app.replies import picture_reply, problems_documented
from app.translating import Translating
from app.translation_schemas import TranslationQuery
from app.uploads import UPLOAD_PROBLEMS
from app.webhooks.asking import WEBHOOK_PARAMETER
from jobs.errors import QueueFull, QueueUnavailable
from models.errors import ModelNotFound, ModelRefused, WrongKindOfModel

PROBLEMS_OF_A_TRANSLATION = (
    *UPLOAD_PROBLEMS,
    *ASKING_PROBLEMS,
    ModelNotFound,
    WrongKindOfModel,
    INVALID_PARAMETER,
    SizeOutOfRange,
    SeedNotTaken,
    NoFormatAccepted,
    MaskMissing,
    MaskNotWanted,
    MaskRefused,
    ResultTooLarge,
    TooLongForFormat,
    JobFailed,
    JobCancelled,
    ModelRefused,
    QueueFull,
    QueueUnavailable,
    ModelNotLoaded,
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_MASK = {
    "type": "string",
    "format": "binary",
    "description": "For styles that fill holes: a picture of the photo's shape, white where it is to be filled.",
}
_FORM = {
    "type": "object",
    "properties": {"photo": _BINARY["schema"], "mask": _MASK},
    "required": ["photo"],
}
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
            200: {
                "description": "The translation, of the photo's size times the style's scale.",
                "content": pictures_content(),
            },
            **accepted_documented(),
            **problems_documented(*PROBLEMS_OF_A_TRANSLATION),
        },
        openapi_extra={"requestBody": PHOTO_BODY, "parameters": [IDEMPOTENCY_PARAMETER, WEBHOOK_PARAMETER]},
    )
    async def translation(request: Request, query: Annotated[TranslationQuery, Query()]) -> Response:
        """The photo's width and height, turned upright as EXIF says, in sRGB, opacity kept, and nothing else of it: no
        EXIF, GPS or XMP. Its own format, unless the query names another or `Accept` excludes it.

        A style whose `task` is `inpaint` takes a form with the part `mask` and changes no pixel where that is dark;
        without one it fills what is transparent in the photo. A style with a `scale` answers with a picture so many
        times as wide and high. One that colourises keeps the photo's brightness, pixel by pixel.

        A request waits up to a minute; then, or at once with `Prefer: respond-async`, the answer is 202 with the job's
        address. `Prefer: wait=5` waits five seconds. With an `Idempotency-Key`, a repeated request makes no second
        job. The photo is kept in memory until the job ends, and nowhere else.
        """
        job_id, job = await translating.submit(request, query)
        headers = {"Personne-Model": job.model} | ({} if query.format else {"Vary": "Accept"})
        reply = partial(picture_reply, headers=headers)
        return await job_reply(request, errands, job_id, config.translation_wait_s, reply)

    return router
