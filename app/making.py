"""A request as JSON becomes a job in its lane."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel

from app.config import AppConfig
from app.edit_schemas import EditRequest
from app.editing import StoredLatent, stored_latent, wishes_of
from app.errands import Errands
from app.errors import DatasetTooBig, DirectionRefused, SeedOrLatent
from app.gridding import grid_job
from app.idempotency import once_of
from app.job_requests import DatasetRequest, GenerateRequest, GridRequest, MorphRequest
from app.morphing import morph_job
from app.ordering import Ordering, draw_seed, read_seed
from app.teaching import taught_direction
from app.webhooks.asking import WebhookGate
from jobs.contract import LATENT, TAUGHT, DatasetJob, EditJob, GenerateJob, GridJob, Job, JobId, Lane, PictureFormat
from models.errors import EditRefused

JobT_co = TypeVar("JobT_co", bound=Job, covariant=True)


Makable = GenerateRequest | EditRequest | DatasetRequest | MorphRequest | GridRequest
"""Requests whose jobs need no photo."""


@dataclass(frozen=True, slots=True)
class Ordered(Generic[JobT_co]):
    """A job that is to be submitted."""

    job: JobT_co
    lane: Lane
    inputs: Mapping[str, bytes] = field(default_factory=dict)


class Making:
    """Jobs of every kind that needs no photo."""

    def __init__(self, config: AppConfig, ordering: Ordering, errands: Errands) -> None:
        self._timeout_s = config.job_timeout_s
        self._most_faces = config.max_dataset_faces
        self._ordering = ordering
        self._errands = errands
        self._webhooks = WebhookGate(config.webhooks)

    async def submit(self, request: Request, wanted: Makable) -> JobId:
        """The job on its way.

        Raises what Ordering.face and `started` raise; of a data set DatasetTooBig; of a morph or a grid what
        `morph_job` and `grid_job` raise;
        of an edit SeedOrLatent, and what `stored_latent` and `taught_direction` raise.
        """
        ordered = await self._ordered(wanted)
        return await self.started(request, wanted, ordered, self._timeout_s)

    async def started(self, request: Request, wanted: BaseModel, ordered: Ordered[Job], timeout_s: float) -> JobId:
        """Raises what the lane refuses, IdempotencyKeyMalformed, KeyReused, WebhooksOff, WebhookRefused."""
        once, webhook = once_of(request, wanted.model_dump_json()), self._webhooks.of(request)
        submit = self._errands.submit
        return await submit(ordered.job, ordered.lane, timeout_s, ordered.inputs, once=once, webhook=webhook)

    async def _ordered(self, wanted: Makable) -> Ordered[Job]:
        match wanted:
            case DatasetRequest():
                return Ordered(self._dataset(wanted), Lane.SLOW)
            case GenerateRequest():
                return Ordered(self._face(wanted), Lane.QUICK)
            case MorphRequest():
                edits = tuple(wanted.attributes.items())
                wishes = wanted.wishes(edits=edits, mix=wanted.mix)
                job, _ = morph_job(tuple(read_seed(str(seed)) for seed in wanted.seeds), wishes, wanted, self._ordering)
                return Ordered(job, Lane.SLOW)
            case GridRequest():
                return Ordered(self._grid(wanted), Lane.SLOW)
        return await self.edited(wanted, wanted.format or PictureFormat.JPEG)

    async def edited(self, wanted: EditRequest, picture_format: PictureFormat) -> Ordered[GenerateJob | EditJob]:
        """Raises SeedOrLatent, what Ordering.face raises, and what `stored_latent` and `_along_taught` raise."""
        if (wanted.seed is None) == (wanted.latent is None):
            raise SeedOrLatent
        if wanted.taught is not None:
            return await self._along_taught(wanted, JobId(wanted.taught), picture_format)
        if wanted.seed is not None:
            job = self._ordering.face(read_seed(str(wanted.seed)), wishes_of(wanted), picture_format)
            return Ordered(job, Lane.QUICK)
        stored = await self._stored(wanted)
        edit = self._ordering.stored_face(wishes_of(wanted, stored.model), picture_format)
        return Ordered(edit, Lane.QUICK, {LATENT: stored.ws})

    async def _stored(self, wanted: EditRequest) -> StoredLatent:
        """Raises EditRefused where another model is named than the latent's, and what `stored_latent` raises."""
        stored = await stored_latent(self._errands, JobId(wanted.latent or ""))
        if wanted.model is not None and self._ordering.model(wanted.model).manifest.digest != stored.model:
            raise EditRefused(
                f"The latent is one of the model {stored.model}, and no other can draw it: leave out {wanted.model!r}."
            )
        return stored

    async def _along_taught(
        self, wanted: EditRequest, direction: JobId, picture_format: PictureFormat
    ) -> Ordered[GenerateJob | EditJob]:
        """Raises DirectionRefused for a direction of another model, and what `taught_direction` raises."""
        taught = await taught_direction(self._errands, self._ordering, direction)
        inputs, model = {TAUGHT: taught.file}, wanted.model
        if wanted.latent is not None:
            stored = await self._stored(wanted)
            inputs, model = inputs | {LATENT: stored.ws}, stored.model
        if model is not None and self._ordering.model(model).generator.digest != taught.model:
            raise DirectionRefused("That direction was taught on another model, in whose latents it leads nowhere.")
        seed = None if wanted.seed is None else read_seed(str(wanted.seed))
        wishes = wishes_of(wanted, taught.model)
        job = self._ordering.stored_face(wishes, picture_format, taught=taught.direction, seed=seed)
        return Ordered(job, Lane.QUICK, inputs)

    def _face(self, wanted: GenerateRequest) -> GenerateJob:
        edits = tuple(wanted.attributes.items())
        wishes = wanted.wishes(edits=edits, mix=wanted.mix)
        return self._ordering.face(_seed_of(wanted.seed), wishes, _format_of(wanted.format))

    def _grid(self, wanted: GridRequest) -> GridJob:
        seed = None if wanted.seed is None else str(wanted.seed)
        seeds = None if wanted.seeds is None else [str(one) for one in wanted.seeds]
        job, _ = grid_job(seed, seeds, wanted.wishes(mix=wanted.mix), wanted, self._ordering)
        return job

    def _dataset(self, wanted: DatasetRequest) -> DatasetJob:
        """Raises what Ordering.face raises of its lowest and highest attributes, and DatasetTooBig."""
        if wanted.count > self._most_faces:
            raise DatasetTooBig(self._most_faces)
        seed, picture_format, ranges = _seed_of(wanted.seed), _format_of(wanted.format), wanted.ranges
        lowest, highest = (
            self._ordering.face(seed, wanted.wishes(edits=ends), picture_format)
            for ends in (tuple((name, low) for name, low, _ in ranges), tuple((name, high) for name, _, high in ranges))
        )
        return DatasetJob(
            model=lowest.model,
            seed=seed,
            count=wanted.count,
            truncation_psi=lowest.truncation_psi,
            size=lowest.size,
            format=picture_format,
            label=lowest.label,
            rotate=lowest.rotate,
            translate_x=lowest.translate_x,
            translate_y=lowest.translate_y,
            ranges=ranges,
            keep=wanted.keep,
            # Empty where nothing moves: an end of a range may be 0.
            directions=lowest.directions or highest.directions,
        )


def _seed_of(wanted: int | str | None) -> int:
    """Raises SeedOutOfRange."""
    return draw_seed() if wanted is None else read_seed(str(wanted))


def _format_of(wanted: PictureFormat | None) -> PictureFormat:
    return wanted or PictureFormat.JPEG
