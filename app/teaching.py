"""Faces that somebody called more or less of something become a job; what that left is a direction to edit along."""

import json
from base64 import b64decode
from typing import NamedTuple

from fastapi import Request

from app.config import AppConfig
from app.editing import JSON
from app.errands import Errands
from app.errors import DirectionRefused, NoDirection
from app.idempotency import once_of
from app.ordering import Ordering, read_seed
from app.teaching_schemas import TaughtDirection, TeachRequest
from app.webhooks.asking import WebhookGate
from jobs.contract import JobId, JobResult, Lane, TeachJob
from models.direction_files import directions_from_bytes
from models.directions import RESERVED, Direction, reserved
from models.errors import ModelRefused
from models.teaching import CannotTeach, check_scores

KEPT_S = 3600


class Taught(NamedTuple):
    """A direction that was taught, of the model of that digest, and as a file."""

    model: str
    direction: Direction
    file: bytes


class Teaching:
    """Takes examples in, and hands out what was learnt of them."""

    def __init__(self, config: AppConfig, ordering: Ordering, errands: Errands) -> None:
        self._timeout_s = config.job_timeout_s
        self._ordering = ordering
        self._errands = errands
        self._webhooks = WebhookGate(config.webhooks)

    async def submit(self, request: Request, wanted: TeachRequest) -> tuple[JobId, TeachJob]:
        """The examples on their way. They draw nothing, so that they take the quick lane.

        Raises ModelNotFound, WrongKindOfModel, SeedOutOfRange, DirectionRefused, ModelNotLoaded, QueueFull,
        QueueUnavailable, IdempotencyKeyMalformed, KeyReused, WebhooksOff, WebhookRefused.
        """
        job = self._job(wanted)
        once, webhook = once_of(request, wanted.model_dump_json()), self._webhooks.of(request)
        job_id = await self._errands.submit(job, Lane.QUICK, self._timeout_s, once=once, webhook=webhook)
        return job_id, job

    async def told(self, direction: JobId) -> TaughtDirection:
        """Raises JobNotFound, JobNotDone, NoDirection, QueueUnavailable, and why the job failed."""
        return direction_of(direction, await self._errands.result(direction))

    async def taught(self, direction: JobId) -> Taught:
        """The direction itself. Raises what `taught_direction` raises."""
        return await taught_direction(self._errands, self._ordering, direction)

    async def erase(self, direction: JobId) -> None:
        """Raises JobNotFound, QueueUnavailable."""
        await self._errands.erase(direction)

    def _job(self, wanted: TeachRequest) -> TeachJob:
        entry = self._ordering.model(wanted.model)
        digest = entry.generator.digest
        if wanted.name in RESERVED:
            raise DirectionRefused(reserved(wanted.name))
        if wanted.name in entry.directions:
            model = entry.manifest.name
            raise DirectionRefused(f"{model!r} has a direction {wanted.name!r} already; choose another name.")
        seeds = {read_seed(seed): score for seed, score in wanted.scores.items() if score}
        try:
            check_scores(tuple(seeds.values()))
        except CannotTeach as error:
            raise DirectionRefused(str(error)) from None
        return TeachJob(digest, wanted.name, tuple(seeds), tuple(map(float, seeds.values())), wanted.meaning)


async def taught_direction(errands: Errands, ordering: Ordering, direction: JobId) -> Taught:
    """The direction of that id. Raises JobNotFound, JobNotDone, NoDirection, QueueUnavailable, ModelNotFound, and why
    the job failed."""
    document = _document(await errands.result(direction))
    try:
        file = b64decode(str(document["file"]), validate=True)
        generator = ordering.model(str(document["model"])).generator
        (found,) = directions_from_bytes(file, generator).values()
    except (KeyError, ValueError, ModelRefused):
        raise NoDirection from None
    return Taught(generator.digest, found, file)


def direction_of(direction: JobId, result: JobResult) -> TaughtDirection:
    """Raises NoDirection for a job of another kind."""
    try:
        return TaughtDirection.told(direction, _document(result), KEPT_S)
    except ValueError:
        raise NoDirection from None


def _document(result: JobResult) -> dict[str, object]:
    """Raises NoDirection."""
    if result.media_type != JSON:
        raise NoDirection
    document: dict[str, object] = json.loads(result.body)
    return document
