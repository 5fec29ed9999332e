"""A photo that was posted with an edit becomes one job: find the face, find its latent, move it, and put it back."""

from typing import Annotated

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from app.config import AppConfig
from app.edit_schemas import EditChoice
from app.errands import Errands
from app.idempotency import once_of
from app.inversion_schemas import FaceChoice, LandmarksChoice, MethodChoice
from app.inverting import read_landmarks
from app.negotiation import check_length, negotiate, whole_header
from app.ordering import Ordering, Wishes
from app.photo_headers import PhotoHeader
from app.uploads import Uploads
from app.webhooks.asking import WebhookGate
from jobs.contract import C2PA, PHOTO, JobId, Lane, PhotoEditJob
from models.abilities import Space, method_of

EDIT_PART = "edit"


class PhotoEditRequest(EditChoice):
    """The part `edit` of a form with a photo, as JSON. Without it, the face is drawn again as it was found."""

    method: MethodChoice = None
    space: Space = Space.W_PLUS
    face: FaceChoice = None
    landmarks: LandmarksChoice = None
    paste: Annotated[
        bool, Field(description="Answer the whole photo, changed as the face was, instead of the face alone.")
    ] = False


class PhotoEditing:
    """Takes photos in and submits what is to be made of their faces."""

    def __init__(self, config: AppConfig, ordering: Ordering, errands: Errands, uploads: Uploads) -> None:
        self._timeout_s = config.job_timeout_s
        self._ordering = ordering
        self._errands = errands
        self._uploads = uploads
        self._webhooks = WebhookGate(config.webhooks)

    async def submit(self, request: Request) -> tuple[JobId, PhotoEditJob]:
        """The photo of the request, on its way. The web holds none of its bytes when this returns.

        Raises what Inverting.submit and Ordering.stored_face raise, NoFormatAccepted, TooLongForFormat for a photo that
        is to be answered whole, RequestValidationError for a part `edit` that is none.
        """
        async with self._uploads.photo_of(request, EDIT_PART) as upload:
            text = upload.fields.get(EDIT_PART, b"{}")
            accept = whole_header(request, "accept")
            job = self._job(_read(text), accept, upload.header)
            once, webhook = once_of(request, text, upload.body), self._webhooks.of(request)
            inputs = {PHOTO: upload.body} | ({C2PA: upload.header.c2pa} if upload.header.c2pa else {})
            submit = self._errands.submit
            return await submit(job, Lane.SLOW, self._timeout_s, inputs, once=once, webhook=webhook), job

    def _job(self, wanted: PhotoEditRequest, accept: str | None, photo: PhotoHeader) -> PhotoEditJob:
        entry = self._ordering.model(wanted.model)
        wishes = Wishes(
            model=entry.generator.digest,
            truncation_psi=wanted.truncation_psi,
            size=wanted.size,
            edits=tuple(wanted.attributes.items()),
            keep=wanted.keep,
            directions=wanted.directions,
            mix=wanted.mix,
        )
        picture_format = wanted.format or negotiate(accept, photo.format)
        if wanted.paste:
            check_length(max(photo.width, photo.height), picture_format)
        edit = self._ordering.stored_face(wishes, picture_format)
        return PhotoEditJob(
            model=edit.model,
            method=method_of(wanted.method, entry, self._ordering.catalogue).value,
            size=edit.size,
            format=picture_format,
            space=wanted.space.value,
            face=wanted.face,
            landmarks=read_landmarks(wanted.landmarks),
            edits=edit.edits,
            keep=edit.keep,
            directions=edit.directions,
            truncation_psi=edit.truncation_psi,
            paste=wanted.paste,
            mix=edit.mix,
        )


def _read(text: bytes) -> PhotoEditRequest:
    """Raises RequestValidationError, as FastAPI does for bodies."""
    try:
        return PhotoEditRequest.model_validate_json(text)
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**one, "loc": (EDIT_PART, *one["loc"])} for one in told]) from None
