"""A photo that was posted becomes a job in the slow lane, for the API and for the page alike."""

from fastapi import Request

from app.config import AppConfig
from app.errands import Errands
from app.errors import MaskMissing, MaskNotWanted, ResultTooLarge, SeedNotTaken, SizeOutOfRange
from app.idempotency import once_of
from app.negotiation import check_length, negotiate, whole_header
from app.ordering import SMALLEST_SIZE, Ordering
from app.photo_headers import PhotoHeader
from app.translation_schemas import TranslationQuery
from app.uploads import Uploads
from app.webhooks.asking import WebhookGate
from jobs.contract import C2PA, MASK, PHOTO, JobId, Lane, PictureFormat, TranslateJob
from models.manifest import TranslatorManifest


class Translating:
    """Takes photos in and submits what is to be made of them."""

    def __init__(self, config: AppConfig, ordering: Ordering, errands: Errands, uploads: Uploads) -> None:
        self._timeout_s = config.job_timeout_s
        self._most_pixels = config.max_photo_pixels
        self._ordering = ordering
        self._errands = errands
        self._uploads = uploads
        self._webhooks = WebhookGate(config.webhooks)

    async def submit(self, request: Request, query: TranslationQuery) -> tuple[JobId, TranslateJob]:
        """The photo of the request, on its way. The web holds none of its bytes when this returns.

        Raises ModelNotFound, WrongKindOfModel, SeedNotTaken, SizeOutOfRange, ResultTooLarge, TooLongForFormat,
        MaskMissing, MaskNotWanted, NoFormatAccepted, ModelNotLoaded, QueueFull, QueueUnavailable,
        IdempotencyKeyMalformed, KeyReused, WebhooksOff, WebhookRefused, and what Uploads.photo_of raises.
        """
        style = self._ordering.model(query.style).translator
        if query.seed is not None:
            raise SeedNotTaken
        async with self._uploads.photo_of(request, beside=[MASK]) as upload:
            # A browser's form sends an empty file where none was chosen.
            mask = upload.fields.get(MASK) or None
            _check_mask(style, upload.header, mask)
            job = self._job(query, style, upload.header, whole_header(request, "accept"))
            inputs = {PHOTO: upload.body} | ({C2PA: upload.header.c2pa} if upload.header.c2pa else {})
            inputs |= {MASK: mask} if mask else {}
            once = once_of(request, query.model_dump_json(), upload.body, mask or b"")
            webhook = self._webhooks.of(request)
            submit = self._errands.submit
            return await submit(job, Lane.SLOW, self._timeout_s, inputs, once=once, webhook=webhook), job

    def _job(
        self, query: TranslationQuery, style: TranslatorManifest, photo: PhotoHeader, accept: str | None
    ) -> TranslateJob:
        """Raises SizeOutOfRange, ResultTooLarge, TooLongForFormat, NoFormatAccepted."""
        if style.scale > 1 and photo.width * photo.height * style.scale**2 > self._most_pixels:
            raise ResultTooLarge(photo.width, photo.height, style.scale, self._most_pixels)
        longest = max(photo.width, photo.height) * style.scale
        smallest = min(SMALLEST_SIZE, longest)
        if query.size is not None and not smallest <= query.size <= longest:
            raise SizeOutOfRange(query.size, smallest, longest, style.name)
        picture_format = query.format or negotiate(accept, photo.format)
        check_length(query.size or longest, picture_format)
        return TranslateJob(
            model=style.digest,
            strength=query.strength,
            format=picture_format,
            size=query.size,
        )


def _check_mask(style: TranslatorManifest, photo: PhotoHeader, mask: bytes | None) -> None:
    """Whether a PNG or WebP has holes of its own, the worker sees. Raises MaskMissing, MaskNotWanted."""
    if mask is not None and not style.takes_mask:
        raise MaskNotWanted(style.name)
    if style.takes_mask and not mask and photo.format is PictureFormat.JPEG:
        raise MaskMissing(style.name)
