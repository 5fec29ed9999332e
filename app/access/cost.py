"""What a request costs: units of work, by the pixels that it moves and the stages that they go through."""

import math
from collections.abc import Mapping

from app.access.limits import Limits
from app.errors.access import RateLimited, TooCostly
from app.metrics import Meters
from app.ordering import Ordering
from app.photo_headers import read_header
from jobs.contract import PHOTO, InvertJob, Job, PhotoEditJob, TranslateJob
from models.abilities import STEPS as DESCENT_STEPS
from models.abilities import Method
from models.errors import ModelsError

UNIT_PIXELS = 256 * 256
"""A unit is one network's pass over so many pixels."""
PHOTO_STAGES = 1 / 16
"""Of an uploaded photo, for being read: counted by itself, whatever is then made of it."""
STAGES: Mapping[str, float] = {
    "generate": 1,
    "edit": 1,
    "translate": 1,
    "dataset": 1,
    "morph": 1,
    "grid": 1,
    # Of the photo's pixels: its decoding, and the locator, which is a small network.
    "invert": 1 / 2,
    "photo_edit": 1,
    # The mapping network alone; how many faces, is limited.
    "teach": 1,
}
"""Passes over the picture, by the kind of job; kinds that are not here cost UNKNOWN_STAGES."""
UNKNOWN_STAGES = 8
UNKNOWN_PIXELS = 512 * 512


class Till:
    """Where jobs and photos are counted, for whoever asks. meters: count what is refused."""

    def __init__(self, limits: Limits, ordering: Ordering, meters: Meters) -> None:
        self._limits = limits
        self._prices = Prices(ordering)
        self._meters = meters

    async def pay_job(self, job: Job, inputs: Mapping[str, bytes] | None) -> int:
        """The units that were paid. Raises RateLimited, TooCostly."""
        cost = self._prices.of(job, inputs)
        await self._pay(cost)
        return cost

    async def give_back(self, cost: int) -> None:
        """What was paid for a job that the queue then did not take."""
        await self._limits.give_back(cost)

    async def pay_photo(self, pixels: int) -> None:
        """For a photo that came, whatever is then made of it. Raises RateLimited, TooCostly."""
        await self._pay(units(pixels, PHOTO_STAGES))

    async def close(self) -> None:
        await self._limits.close()

    async def _pay(self, cost: int) -> None:
        try:
            await self._limits.pay(cost)
        except RateLimited as error:
            self._meters.units_refused(error.policy, cost)
            raise
        except TooCostly:
            self._meters.units_refused("too-costly", cost)
            raise


class Prices:
    """What jobs cost. ordering: knows the models, and so what a face is computed at, whatever size is asked of it."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering

    def of(self, job: Job, inputs: Mapping[str, bytes] | None = None) -> int:
        """Units, 1 at least. A job of several pictures (`count`, `frames`) costs that many times more."""
        pictures = next((n for name in ("count", "frames") if isinstance(n := getattr(job, name, None), int)), 1)
        stages = STAGES.get(job.kind, UNKNOWN_STAGES) * max(1, pictures)
        return units(self._pixels(job, inputs or {}) * stages + self._search(job))

    def _search(self, job: Job) -> int:
        """Pixels that the generator draws while a latent is sought: one picture, and two passes of every step."""
        if not isinstance(job, InvertJob | PhotoEditJob):
            return 0
        return (1 + 2 * DESCENT_STEPS[Method(job.method)]) * self._drawn(job)

    def _pixels(self, job: Job, inputs: Mapping[str, bytes]) -> int:
        if PHOTO in inputs:
            header = read_header(inputs[PHOTO])
            width, height = header.width, header.height
            # A photo whose face is edited is read whole, and pasted into whole: its job's size is the face's.
            asked = None if isinstance(job, PhotoEditJob) else getattr(job, "size", None)
            shrunk = min(1.0, asked / max(width, height)) if isinstance(asked, int) else 1.0
            if (scale := self._scale(job)) > 1:
                # All of it is enlarged, whatever is asked of the result.
                return width * height * scale**2
            return round(width * shrunk * height * shrunk)
        return self._drawn(job)

    def _drawn(self, job: Job) -> int:
        """Pixels of one picture of the job's model."""
        try:
            return self._ordering.catalogue.with_digest(job.model).generator.resolution ** 2
        except ModelsError:
            return UNKNOWN_PIXELS

    def _scale(self, job: Job) -> int:
        if not isinstance(job, TranslateJob):
            return 1
        try:
            return self._ordering.catalogue.with_digest(job.model).translator.scale
        except ModelsError:
            return 1


def units(pixels: float, stages: float = 1.0) -> int:
    """Whole units, 1 at least."""
    return max(1, math.ceil(pixels / UNIT_PIXELS * stages))
