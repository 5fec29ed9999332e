"""A request as JSON becomes a job in its lane."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel

from app.config import AppConfig
from app.edit_schemas import EditRequest
from app.editing import stored_latent, wishes_of
from app.errands import Errands
from app.errors import DatasetTooBig, SeedOrLatent
from app.idempotency import once_of
from app.job_requests import DatasetRequest, GenerateRequest
from app.ordering import Ordering, draw_seed, read_seed
from app.webhooks.asking import WebhookGate
from jobs.contract import LATENT, DatasetJob, EditJob, GenerateJob, Job, JobId, Lane, PictureFormat

JobT_co = TypeVar("JobT_co", bound=Job, covariant=True)


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

    async def submit(self, request: Request, wanted: GenerateRequest | EditRequest | DatasetRequest) -> JobId:
        """The job on its way.

        Raises what Ordering.face and `started` raise; of a data set DatasetTooBig; of an edit SeedOrLatent, and what
        `stored_latent` raises.
        """
        ordered = await self._ordered(wanted)
        return await self.started(request, wanted, ordered, self._timeout_s)

    async def started(self, request: Request, wanted: BaseModel, ordered: Ordered[Job], timeout_s: float) -> JobId:
        """Raises what the lane refuses, IdempotencyKeyMalformed, KeyReused, WebhooksOff, WebhookRefused."""
        once, webhook = once_of(request, wanted.model_dump_json()), self._webhooks.of(request)
        submit = self._errands.submit
        return await submit(ordered.job, ordered.lane, timeout_s, ordered.inputs, once=once, webhook=webhook)

    async def _ordered(self, wanted: GenerateRequest | EditRequest | DatasetRequest) -> Ordered[Job]:
        match wanted:
            case DatasetRequest():
                return Ordered(self._dataset(wanted), Lane.SLOW)
            case GenerateRequest():
                return Ordered(self._face(wanted), Lane.QUICK)
        return await self.edited(wanted, wanted.format or PictureFormat.JPEG)

    async def edited(self, wanted: EditRequest, picture_format: PictureFormat) -> Ordered[GenerateJob | EditJob]:
        """Raises SeedOrLatent, what Ordering.face raises, and what `stored_latent` raises."""
        if (wanted.seed is None) == (wanted.latent is None):
            raise SeedOrLatent
        if wanted.seed is not None:
            job = self._ordering.face(read_seed(str(wanted.seed)), wishes_of(wanted), picture_format)
            return Ordered(job, Lane.QUICK)
        stored = await stored_latent(self._errands, JobId(wanted.latent or ""))
        edit = self._ordering.stored_face(wishes_of(wanted, stored.model), picture_format)
        return Ordered(edit, Lane.QUICK, {LATENT: stored.ws})

    def _face(self, wanted: GenerateRequest) -> GenerateJob:
        edits = tuple(wanted.attributes.items())
        wishes = wanted.wishes(edits=edits, mix=wanted.mix)
        return self._ordering.face(_seed_of(wanted.seed), wishes, _format_of(wanted.format))

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
