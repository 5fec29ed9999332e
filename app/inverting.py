"""A photo that was posted becomes a job that finds its latent; what that left becomes a document or a picture."""

import json
import math

import numpy as np
from fastapi import Request

from app.config import AppConfig
from app.editing import JSON
from app.errands import Errands
from app.errors import LandmarksMalformed, NoLatent
from app.idempotency import once_of
from app.inversion_schemas import Inversion, InversionQuery
from app.ordering import Ordering
from app.uploads import Uploads
from app.webhooks.asking import WebhookGate
from jobs.contract import PHOTO, InvertJob, JobId, JobResult, Lane
from models.abilities import method_of
from models.alignment import square_as_written

KEPT_S = 3600
NUMBERS = 10
FARTHEST = 1e6


class Inverting:
    """Takes photos in and submits the search for their latents."""

    def __init__(self, config: AppConfig, ordering: Ordering, errands: Errands, uploads: Uploads) -> None:
        self._timeout_s = config.job_timeout_s
        self._ordering = ordering
        self._errands = errands
        self._uploads = uploads
        self._webhooks = WebhookGate(config.webhooks)

    async def submit(self, request: Request, query: InversionQuery) -> tuple[JobId, InvertJob]:
        """The photo of the request, on its way. The web holds none of its bytes when this returns.

        Raises ModelNotFound, WrongKindOfModel, ModelCannot, LandmarksMalformed, ModelNotLoaded, QueueFull,
        QueueUnavailable, IdempotencyKeyMalformed, KeyReused, WebhooksOff, WebhookRefused, and what Uploads.photo_of
        raises.
        """
        entry = self._ordering.model(query.model)
        job = InvertJob(
            model=entry.generator.digest,
            method=method_of(query.method, entry, self._ordering.catalogue).value,
            space=query.space.value,
            face=query.face,
            landmarks=read_landmarks(query.landmarks),
        )
        async with self._uploads.photo_of(request) as upload:
            once, webhook = once_of(request, query.model_dump_json(), upload.body), self._webhooks.of(request)
            inputs = {PHOTO: upload.body}
            submit = self._errands.submit
            return await submit(job, Lane.SLOW, self._timeout_s, inputs, once=once, webhook=webhook), job

    async def told(self, latent: JobId) -> Inversion:
        """Raises JobNotFound, JobNotDone, NoLatent, QueueUnavailable, and why the inversion failed."""
        return inversion_of(latent, await self._errands.result(latent))

    async def erase(self, latent: JobId) -> None:
        """Raises JobNotFound, QueueUnavailable."""
        await self._errands.erase(latent)


def inversion_of(latent: JobId, result: JobResult) -> Inversion:
    """Raises NoLatent for a job of another kind."""
    if result.media_type != JSON:
        raise NoLatent
    try:
        return Inversion.told(latent, json.loads(result.body), KEPT_S)
    except ValueError:
        raise NoLatent from None


def read_landmarks(text: str | None) -> tuple[float, ...]:
    """ "1,2,…" -> ten numbers; nothing -> none. Raises LandmarksMalformed."""
    if text is None:
        return ()
    try:
        numbers = tuple(float(number) for number in text.split(","))
    except ValueError:
        raise LandmarksMalformed from None
    if len(numbers) != NUMBERS or not all(math.isfinite(number) and abs(number) < FARTHEST for number in numbers):
        raise LandmarksMalformed
    try:
        square_as_written(np.array(numbers).reshape(-1, 2))
    except ValueError as error:
        raise LandmarksMalformed(str(error).capitalize() + ".") from None
    return numbers
